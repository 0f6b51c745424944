"""Where the precomputed scenes lie: apart from all that computes, because the app's first page waits for this module."""

from __future__ import annotations

from typing import Final

from unlearn_core.support.dashboard import DASHBOARD

FOLDER: Final = DASHBOARD / "assets" / "start"
"""``python assets/make_start.py`` writes it."""
SCENES, PROVENANCE = FOLDER / "scenes.bin", FOLDER / "provenance.json"
BURST, BURST_PROVENANCE = FOLDER / "burst.bin", FOLDER / "burst.json"
"""The star-burst: ``python assets/make_burst.py``."""


def packed_scenes() -> bytes | None:
    """The packed scenes, as the browser takes them; None where they are not there."""
    return SCENES.read_bytes() if SCENES.is_file() else None


def packed_burst() -> bytes | None:
    """The packed star-burst, as the browser takes it; None where it is not there."""
    return BURST.read_bytes() if BURST.is_file() else None
