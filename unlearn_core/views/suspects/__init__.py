"""Suspected examples: the ranking, the evidence, and what an edit of the forget set changes."""
