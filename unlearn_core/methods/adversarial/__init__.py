"""Methods that move the boundary with adversarial examples."""
