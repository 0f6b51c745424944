"""Methods that find the critical parameters first and train those alone."""
