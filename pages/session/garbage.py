"""Keeps the search for garbage short and rare: it looks through all objects of the process and holds every session up."""

from __future__ import annotations

import gc
import sys
import threading
import time

NEW_MODULES = 25
"""So many more modules than last time are worth another look."""
EVERY_SECONDS = 20.0
"""A page makes a hundred thousand objects, some of them in circles: they are thrown away this often, while pages are drawn."""
_lock = threading.Lock()
_left_out, _searched = 0, float("-inf")


def tidy_up() -> None:
    """After a run of a page: throw away what circles keep alive, if that was not done a moment ago.

    What is there once new modules were read is left out of every later search: torch, plotly and pandas alone are a million
    objects that stay as long as the process. Streamlit's own search after every run is switched off in its config.
    """
    global _left_out, _searched
    with _lock:
        now, more = time.monotonic(), len(sys.modules) - _left_out >= NEW_MODULES
        if not more and now - _searched < EVERY_SECONDS:
            return
        _left_out, _searched = len(sys.modules) if more else _left_out, now
    gc.collect()
    if more:
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)  # not after every 700 objects, where a page makes a hundred thousand
