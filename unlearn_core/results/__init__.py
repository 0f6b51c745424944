"""Readers of the store: tables, cells, examples, the precomputed gallery, exports."""
