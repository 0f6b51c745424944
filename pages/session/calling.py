"""Have other sessions' pages drawn again now: they learn of something new at once, and not when they next ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamlit import runtime
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.scriptrunner import get_script_run_ctx


def this_page() -> str:
    """The page that this session is on, as requests name it; "" outside of a server."""
    page = get_script_run_ctx(suppress_warning=True)
    return "" if page is None or not runtime.exists() else page.page_script_hash


def draw_again(sessions: Sequence[str], page: str = "") -> None:
    """Ask for a run of the whole page in each of these sessions, or of another ``page`` (:func:`this_page`). Returns at once.

    Streamlit has no public way from one session to another. Where this one is closed by a later version, nothing happens here,
    and the sessions' own timers find what is new.
    """
    if not sessions or not runtime.exists():
        return
    try:
        server: Any = runtime.get_instance()
        server._get_async_objs().eventloop.call_soon_threadsafe(_ask, server, tuple(sessions), page)
    except (AttributeError, RuntimeError):
        return


def _ask(server: Any, sessions: Sequence[str], page: str) -> None:
    for name in sessions:
        found = server._session_mgr.get_active_session_info(name)
        if found is None:
            continue
        wanted = ClientState()
        wanted.CopyFrom(found.session._client_state)
        # Its widgets as they stand: those that the last request named may have been set since, and would count as moved.
        del wanted.widget_states.widgets[:]
        wanted.widget_states.widgets.extend(found.session.session_state.get_widget_states())
        wanted.fragment_id = ""
        if page:
            wanted.page_script_hash = page
        found.session.request_rerun(wanted)
