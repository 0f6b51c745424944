"""Which part of one image a model's belief in its given label hangs on."""
