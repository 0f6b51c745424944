"""The files of the lessons by name, in the order of their numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "assets" / "lessons"


def find_lessons() -> dict[str, Path]:
    """Every lesson's file; "01-first.md" holds the lesson "first"."""
    return {re.sub(r"^\d+-", "", path.stem): path for path in sorted(FOLDER.glob("*.md"))}
