"""The user's own files before anything runs."""
