"""The Python door: what ``import unlearn_core`` offers, each name in the file that its first use imports."""
