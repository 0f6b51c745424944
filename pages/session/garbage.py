"""Keeps the search for garbage short: Streamlit looks through all objects of the process after every run of a page."""

from __future__ import annotations

import gc
import sys
import threading

NEW_MODULES = 25
"""So many more modules than last time are worth another look."""
_lock = threading.Lock()
_left_out = 0


def leave_out_modules() -> None:
    """Leave out of every later search what is there now, once modules were read that have not been left out yet.

    Torch, plotly and pandas alone are a million objects that stay as long as the process, and a search through them holds all
    threads up. Garbage is thrown away before: what is left out is never looked at again.
    """
    global _left_out
    with _lock:
        if len(sys.modules) - _left_out < NEW_MODULES:
            return
        _left_out = len(sys.modules)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # not after every 700 objects, where a page makes a hundred thousand
