"""Methods that push the forget set out of the network by its loss."""
