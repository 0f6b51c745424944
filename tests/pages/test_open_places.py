"""Places on a public server: who is one too many waits, and comes in when another leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import texts
from streamlit.testing.v1 import AppTest

from benchmarks.measure.serving import Answer, Browser, run_apart, served
from pages.session import places
from pages.session.places import Places, words
from unlearn_core.support.limits import VARIABLE
from unlearn_core.support.public_mode import PUBLIC, READ_ONLY


class Tabs:
    """Open tabs, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.closed: set[str] = set()
        self.now = 0.0
        self.places = Places(lambda session: session not in self.closed, lambda: self.now)

    def ask(self, *sessions: str, places: int = 2, idle: float = 0.0) -> list[int]:
        return [self.places.enter(session, places, idle) for session in sessions]


def test_who_comes_when_all_places_are_taken_waits_in_order_of_coming() -> None:
    tabs = Tabs()
    assert tabs.ask("a", "b", "c", "d", "a", "c") == [0, 0, 1, 2, 0, 1]
    tabs.closed.add("a")
    assert tabs.ask("d", "c") == [1, 0]  # one place, which is that of who came first
    assert tabs.ask("d", "e", "b") == [1, 2, 0]
    tabs.closed |= {"b", "d"}
    assert tabs.ask("e") == [0]
    assert tabs.ask(*"fgh", places=0) == [0, 0, 0]


def test_who_waits_and_no_longer_asks_lets_others_pass() -> None:
    tabs = Tabs()
    assert tabs.ask("a", "b", "c", "d") == [0, 0, 1, 2]
    tabs.now = 80.0
    assert tabs.ask("d") == [2]
    tabs.now = 100.0
    tabs.closed.add("a")
    assert tabs.ask("d", "c") == [0, 1]


def test_the_place_of_a_tab_that_nobody_uses_goes_to_one_who_waits() -> None:
    tabs = Tabs()
    assert tabs.ask("a", "b") == [0, 0]
    tabs.now = 60.0
    assert tabs.ask("b", idle=100) == [0]
    tabs.now = 120.0
    assert tabs.ask("c", "d", idle=100) == [0, 1]  # a's, which was used longest ago; b was used since
    assert tabs.ask("a", idle=100) == [2]
    assert tabs.ask("b", idle=100) == [0]
    tabs.now = 1000.0
    assert tabs.ask("d", "a", "b", idle=0) == [1, 2, 0]


@pytest.mark.parametrize("read_only", ["0", "1"])
def test_one_too_many_reads_one_sentence_and_nothing_else(
    read_only: str, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    tabs = Tabs()
    monkeypatch.setenv(PUBLIC, "1")
    monkeypatch.setenv(READ_ONLY, read_only)
    monkeypatch.setenv(VARIABLE, "open=2,idle=0")
    monkeypatch.setattr(places, "_places", tabs.places)
    tabs.ask("a", "b", "c")
    app = open_page("craft", "seed=3")
    assert "room for 2 open tabs" in texts(app)
    assert "1 person is before you" in texts(app)
    assert not app.button
    assert not app.selectbox
    tabs.closed |= {"a", "c"}
    app.run()
    assert "open tabs" not in texts(app)
    assert app.session_state["state"]["seed"] == 3  # the link still counts
    monkeypatch.setenv(PUBLIC, "0")
    tabs.closed.clear()
    assert "open tabs" not in texts(open_page("craft"))


def test_the_sentence() -> None:
    said = "This server has room for 1,000 open tabs, and somebody has to leave before you can come in: "
    assert words(1, 1000) == f"{said}you are next."
    assert words(3, 1000) == f"{said}2 people are before you."


def test_on_a_served_app_a_closed_tab_makes_room(tmp_path: Path) -> None:
    own = {"UNLEARN_STORE": str(tmp_path / "store"), "UNLEARN_ENGINE": "inline", PUBLIC: "1", VARIABLE: "open=1"}

    async def visits(port: int) -> list[Answer]:
        async with Browser.on(port, 120.0) as second:
            async with Browser.on(port, 120.0) as first:
                found = [await first.open("lessons"), await second.open("lessons")]
            for _ in range(100):
                found.append(await second.open("lessons"))
                if b"room for 1 open tab" not in found[-1].seen:
                    break
                await asyncio.sleep(0.1)
            return found

    with served(tmp_path / "log", own) as (port, _):
        answers = run_apart(visits(port))
    assert [b"room for 1 open tab," in answer.seen for answer in answers[:2]] == [False, True]
    assert b"room for 1 open tab" not in answers[-1].seen
    assert answers[1].elements < answers[0].elements
    assert b"lessons" in answers[1].seen  # the browser is told the page's name, and asks for that one again
    assert [answer.wrong for answer in answers if answer.wrong] == []
