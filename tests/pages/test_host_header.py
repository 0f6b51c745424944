"""Under which names the app answers: its own, and no other that a page on the web may point at it."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from apptools import texts
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from unlearn_core.support.hosts import host_allowed


@pytest.mark.parametrize(
    "host",
    ["localhost:8501", "LOCALHOST", "127.0.0.1:8501", "[::1]:8501", "192.168.1.7", "app.localhost", socket.gethostname(),
     "lab.example", "lab.example.:80", "a.b.lab.org"],
)  # fmt: skip
def test_names_of_its_own(host: str) -> None:
    assert host_allowed(host, ["lab.example", "*.lab.org", ""])


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8501", "localhost.evil.example", "127.0.0.1.evil.example", "lab.example.evil", "lab.org",
     "evillab.org", "localhost@evil.example", "evil.example/localhost", "localhost:x", "", "1.2.3", "x:"],
)  # fmt: skip
def test_names_that_are_not(host: str) -> None:
    assert not host_allowed(host, ["lab.example", "*.lab.org", ""])


def test_a_page_opened_under_another_name_reads_nothing(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ContextProxy, "headers", property(lambda _: {"Host": "evil.example:8501"}))
    app = open_page("start", "seed=3")
    assert "This page was opened as **evil.example:8501**" in texts(app)
    assert "state" not in app.session_state
    assert not app.button
    monkeypatch.setenv("UNLEARN_HOSTS", "other.example, evil.example")
    app.run()
    assert "This page was opened" not in texts(app)
    assert app.session_state["state"]["seed"] == 3
