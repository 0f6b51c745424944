"""Recent runs on Start: listed with a click back, not for visitors, and with a word where there are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import texts
from streamlit.testing.v1 import AppTest

from pages.session import audience
from unlearn_core import view_state as vs

OpenPage = Callable[..., AppTest]


def recent_buttons(app: AppTest) -> list[str]:
    return [button.key for button in app.button if str(button.key).startswith("recent:")]


def test_a_click_opens_what_was_run(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("start")
    assert recent_buttons(app)
    assert "60 examples corrupted" in texts(app)
    assert "just now" in texts(app) or "minute" in texts(app)
    app.button(key="recent:0").click().run()
    assert not app.exception
    assert app.session_state["page"] == "compare"
    state = app.session_state["state"]
    assert vs.to_scenario(state).key == vs.to_scenario(computed).key
    assert {"rem", "finetune"} <= set(state["methods"])
    assert state["overrides"]["rem.epochs"] == 2


def test_where_nothing_was_run_that_is_said(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("start")
    assert recent_buttons(app) == []
    assert "Nothing was run here yet" in texts(app)


def test_visitors_do_not_see_what_the_lecturer_ran(
    open_page: OpenPage, computed: vs.State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(audience.SHARE, "http://192.168.1.7:8501")
    monkeypatch.setenv(audience.LECTURER, "the-word")
    assert recent_buttons(open_page("start")) == []
    assert recent_buttons(open_page("start", "lecturer=the-word"))
