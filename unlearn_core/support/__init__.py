"""Small helpers that know nothing of the product: paths, escaping, temporary folders."""
