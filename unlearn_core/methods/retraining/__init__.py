"""Methods that train from scratch, the whole network or its last layers."""
