"""The app under :class:`~benchmarks.fuzzing.watch.Watch`: ``python -m benchmarks.fuzzing.served ROOT LOG PORT``."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.fuzzing.watch import Watch

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Serve until killed; what is written outside ROOT is noted in LOG."""
    root, log, port = sys.argv[1:4]
    Watch([Path(root)], Path(log))
    from streamlit.web import cli

    sys.argv = ["streamlit", "run", str(ROOT / "app.py"), "--server.port", port, "--server.headless", "true"]
    cli.main()


if __name__ == "__main__":
    main()
