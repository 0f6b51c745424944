"""Hostile input for everything that reads strangers: links, command lines and files; ``benchmarks run fuzz`` runs it."""
