"""Hostile input for everything that reads strangers: links, command lines and files; ``python -m benchmarks.fuzz`` runs it."""
