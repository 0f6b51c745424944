"""Where the precomputed scenes lie: apart from all that computes, because the app's first page waits for this module."""

from __future__ import annotations

from typing import Final

from unlearn_core.support.dashboard import DASHBOARD

FOLDER: Final = DASHBOARD / "assets" / "start"
"""``python assets/make_start.py`` writes it."""
SCENES, PROVENANCE = FOLDER / "scenes.bin", FOLDER / "provenance.json"


def packed_scenes() -> bytes | None:
    """The packed scenes, as the browser takes them; None where they are not there."""
    return SCENES.read_bytes() if SCENES.is_file() else None
