"""Features of several models in one plane."""
