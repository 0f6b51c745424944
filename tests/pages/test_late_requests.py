"""A timer of the browser's does not cut off a page that is still being sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

from pages.session.late_requests import refuse_late_requests


@pytest.mark.parametrize(
    ("running", "timer", "part", "answered"),
    [(True, True, "bar", False), (False, True, "bar", True), (True, False, "bar", True), (True, False, "", True)],
)
def test_only_a_timer_s_request_in_the_middle_of_a_run_is_dropped(
    monkeypatch: pytest.MonkeyPatch, running: bool, timer: bool, part: str, answered: bool
) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(AppSession, "request_rerun", lambda session, asked: taken.append(asked))
    refuse_late_requests()
    session: Any = SimpleNamespace(_scriptrunner=object() if running else None, session_state={})
    AppSession.request_rerun(session, ClientState(fragment_id=part, is_auto_rerun=timer))
    assert bool(taken) is answered
