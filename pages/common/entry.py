"""Every page belongs to the app, whichever way it was opened."""

from __future__ import annotations

import runpy
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

APP = Path(__file__).parents[2] / "app.py"


def within_app() -> None:
    """Make sure that ``app.py`` has set up navigation and page config; it then runs the page that was asked for.

    A server that has just started and is first opened by a deep link has not seen ``st.navigation`` yet: Streamlit then
    takes every file in ``pages/`` for a page of its own and runs it without ``app.py``.
    """
    if getattr(PagesManager, "uses_pages_directory", False):
        runpy.run_path(str(APP))
        st.stop()
