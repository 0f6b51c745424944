"""Methods that learn from a frozen teacher."""
