"""Attacks on the running app: who attacks, with what, and how it is judged."""
