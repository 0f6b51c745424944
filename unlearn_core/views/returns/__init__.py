"""What comes back: courses of stored models that were trained further, and the way back to the original."""
