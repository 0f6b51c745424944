"""Eunoe's core: corrupt data in a controlled way, unlearn it, measure what healed. Knows nothing of the app."""

__version__ = "0.2.0"
