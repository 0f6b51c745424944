"""The files of the lessons by name, in the order of their numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from unlearn_core.support.dashboard import DASHBOARD

FOLDER: Final = DASHBOARD / "assets" / "lessons"


def find_lessons() -> dict[str, Path]:
    """Every lesson's file; "01-first.md" holds the lesson "first"."""
    parts = [(re.fullmatch(r"(\d+)-(.+)", path.stem), path) for path in FOLDER.glob("*.md")]
    numbered = sorted((int(match[1]), match[2], path) for match, path in parts if match)
    return {name: path for _, name, path in numbered}
