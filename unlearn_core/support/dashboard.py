"""Where the dashboard's files are: beside the package in the source tree, inside it where a wheel was installed."""

from __future__ import annotations

from pathlib import Path
from typing import Final


def find_dashboard(package: Path) -> Path:
    """The folder with ``app.py``, ``pages/``, ``assets/`` and ``.streamlit/``; ``package`` is the folder ``unlearn_core``.

    In the source tree the folder exists whatever it lacks: who opens a file there says what is missing.
    """
    installed = package / "dashboard"
    return installed if (installed / "app.py").is_file() else package.parent


DASHBOARD: Final = find_dashboard(Path(__file__).parents[1])
