"""What a browser asks for that has not heard yet that its page was switched."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx

if TYPE_CHECKING:
    from streamlit.proto.ClientState_pb2 import ClientState

_PAGE = "page-of-this-session"


def refuse_late_requests() -> None:
    """Drop requests to draw a part of a page that this session is no longer on.

    Parts that draw themselves again are asked for by the browser, under the page that it believes to be on. Where the server
    has switched the page meanwhile (a student follows the lecturer, a button leads elsewhere), Streamlit answers in the name of
    the page before, and the browser puts away what it has been sent of the new one: nothing but the class's bar was left.
    The browser asks again a moment later, for what it then shows.

    The same holds for a part that redraws itself by a timer while a run of its session has not been sent whole yet: where the
    run's thread has ended, Streamlit starts another one for the part and throws away what is still on its way of the page.
    """
    page = get_script_run_ctx()
    if page is not None:
        st.session_state[_PAGE] = page.page_script_hash
    if getattr(AppSession.request_rerun, "refuses", False):
        return
    answer = AppSession.request_rerun

    @functools.wraps(answer)
    def request_rerun(session: AppSession, client_state: ClientState | None) -> None:
        if client_state is None or not (is_late(_page_of(session), client_state) or _too_early(session, client_state)):
            answer(session, client_state)

    request_rerun.refuses = True  # type: ignore[attr-defined]
    setattr(AppSession, "request_rerun", request_rerun)  # noqa: B010  mypy takes no method for another one


def is_late(page: str, asked: ClientState) -> bool:
    """Whether a part of another page is asked for than ``page``, which the session is on."""
    return bool(page and asked.fragment_id and asked.page_script_hash) and asked.page_script_hash != page


def _too_early(session: AppSession, asked: ClientState) -> bool:
    """Whether a timer asks for a part while the session's last run is not told to its end."""
    return bool(asked.fragment_id and asked.is_auto_rerun) and getattr(session, "_scriptrunner", None) is not None


def _page_of(session: AppSession) -> str:
    """Empty where no page was drawn yet."""
    try:
        return str(session.session_state[_PAGE])
    except KeyError:
        return ""
