"""Choosing hyperparameters without ground truth: the held-out-F rule, the search, and the committed outcome."""
