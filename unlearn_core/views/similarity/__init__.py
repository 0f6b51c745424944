"""How alike the original and a healed model see the same examples, layer by layer."""
