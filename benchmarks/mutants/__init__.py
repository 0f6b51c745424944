"""The old spelling of ``python -m benchmarks run mutants``: ``python -m benchmarks.mutants``."""
