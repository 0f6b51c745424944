"""What the first visit to a page would load, loaded before in the background."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Iterator

BREATH = 0.02
"""Seconds between two modules, in which a page that is being drawn goes on."""
HEAVY = ("pandas.io.formats.style", "torch._dynamo")
"""What tables and counting a network's arithmetic load behind the scenes."""


def read_ahead() -> None:
    """Import what pages draw with, and bring the gallery up to date with today's methods: two seconds that nobody waits for."""
    for name in (*_views(), *HEAVY):
        importlib.import_module(name)
        time.sleep(BREATH)
    from unlearn_core.results.gallery import gallery

    if (found := gallery()) is not None:
        _ = found.comparisons


def _views() -> Iterator[str]:
    import unlearn_core.views

    yield from (found.name for found in pkgutil.walk_packages(unlearn_core.views.__path__, "unlearn_core.views."))
