"""What the documents say of the results; each module with a ``main`` writes its part of them."""
