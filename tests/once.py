"""What several workers of pytest need is made by the first that asks for it; the others wait, and find it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock  # comes with torch


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder ``name``, which ``make`` filled: to be read or copied, because all workers have the same."""
    base = factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{place}.lock"):
        if not place.exists():
            unfinished = factory.mktemp(name)
            make(unfinished)
            unfinished.replace(place)
    return place
