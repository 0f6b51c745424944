"""The app under :class:`~benchmarks.measure.fuzzing.watch.Watch`: ``python -m``, ROOT LOG PORT and options of Streamlit."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.measure.fuzzing.watch import Watch
from benchmarks.paths import ROOT


def main() -> None:
    """Serve until killed; what is written outside ROOT is noted in LOG."""
    root, log, port = sys.argv[1:4]
    Watch([Path(root)], Path(log))
    from pages.session import serve

    given = sys.argv[4:]
    sys.argv = ["streamlit", "run", str(ROOT / "app.py"), "--server.port", port, "--server.headless", "true", *given]
    serve.main()


if __name__ == "__main__":
    main()
