"""Every page belongs to the app, whichever way it was opened."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import streamlit as st
from streamlit import runtime
from streamlit.runtime.pages_manager import PagesManager

from unlearn_core.support.escaping import escape_markdown
from unlearn_core.support.hosts import host_allowed
from unlearn_core.support.public_mode import NAMED, is_public

HOSTS = "UNLEARN_HOSTS"
"""More names under which the app may be opened, with commas: those of a proxy before it, for instance."""
APP = Path(__file__).parents[2] / "app.py"


def answer_to_own_names() -> None:
    """Stop before anything is read where the app was opened under a foreign name (:mod:`unlearn_core.support.hosts`)."""
    host = st.context.headers.get("Host")
    served = [str(st.get_option(name) or "") for name in ("server.address", "browser.serverAddress")]
    if host is None or host_allowed(host, [*served, *os.environ.get(HOSTS, "").split(",")]):  # None: no browser asks
        return
    st.error(
        f"This page was opened as **{escape_markdown(host)}**, and the app answers to its own names alone. Open it as "
        f"localhost; if this is a name of the computer that runs it, start it with {HOSTS} set to that name.",
        icon=":material/shield:",
    )
    st.stop()


def refuse_wrong_setup() -> None:
    """Stop where a public server was started with what none may have; the command ``app --public`` says so in the terminal."""
    if reason := _set_up_wrong():
        st.error(f"This server was set up wrongly and answers nothing. {reason}", icon=":material/shield:")
        st.stop()


def _set_up_wrong() -> str:
    if not is_public():
        return ""
    if os.environ.get("UNLEARN_PLUGINS", "").strip() and not os.environ.get(NAMED):
        return "UNLEARN_PLUGINS names plug-ins: only those run here that the command line of `app --public` names."
    return "A server is either shared with a class or public." if os.environ.get("UNLEARN_SHARE", "").strip() else ""


def within_app() -> None:
    """Make sure that ``app.py`` has set up navigation and page config; it then runs the page that was asked for.

    A server that has just started and is first opened by a deep link has not seen ``st.navigation`` yet: Streamlit then
    takes every file in ``pages/`` for a page of its own and runs it without ``app.py``. It may have seen it in another
    session since, and this page still runs alone.
    """
    alone = runtime.exists() and "page" not in st.session_state
    if alone or getattr(PagesManager, "uses_pages_directory", False):
        runpy.run_path(str(APP))
        st.stop()
