"""Methods that shrink the parameters that matter most for the forget set."""
