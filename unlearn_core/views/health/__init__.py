"""Data health: what is worth knowing of the data before anything is trained on them, in groups."""
