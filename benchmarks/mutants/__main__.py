"""``python -m benchmarks.mutants``: the same as ``python -m benchmarks run mutants``."""

from benchmarks.measure.mutants import main

if __name__ == "__main__":
    main()
