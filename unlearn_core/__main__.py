"""``python -m unlearn_core``: the command line."""

from unlearn_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
