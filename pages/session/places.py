"""How many tabs of strangers are open at a time: whoever comes when all places are taken waits for one, in order of coming."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NoReturn

import streamlit as st
from streamlit import runtime

from pages.session import audience
from unlearn_core.support.limits import limits
from unlearn_core.support.public_mode import is_public

ASKS_SECONDS = 5.0
"""A tab that waits asks again so often."""
_FORGOTTEN_SECONDS = 90.0
"""One that has not asked for so long lets others pass: browsers let a tab in the background ask once a minute."""


class Places:
    """Shared by all sessions of a server; any thread may call it.

    ``is_open``: whether the tab of a session is there; ``clock``: seconds that only grow.
    """

    def __init__(self, is_open: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._lock, self._is_open, self._clock = threading.Lock(), is_open, clock
        self._inside: dict[str, float] = {}  # session → when its page was drawn last
        self._queue: dict[str, float] = {}  # session → when it asked last; in order of coming

    def enter(self, session: str, places: int, idle: float) -> int:
        """0 where this session has one of so many ``places`` (0: any number) from now on; else its number in the queue.

        ``idle``: seconds after which the place of a tab that nobody uses goes to one who waits; 0: never.
        """
        now = self._clock()
        with self._lock:
            if places and session not in self._inside and (number := self._number(session, places, idle, now)):
                self._queue[session] = now
                return number
            self._queue.pop(session, None)
            self._inside[session] = now
            return 0

    def _number(self, session: str, places: int, idle: float, now: float) -> int:
        """Its number among those who get no place at this moment, 0 where it gets one: free, or one that nobody uses."""
        self._inside = {one: seen for one, seen in self._inside.items() if self._is_open(one)}
        self._queue = {
            one: asked for one, asked in self._queue.items() if now - asked < _FORGOTTEN_SECONDS and self._is_open(one)
        }
        self._queue.setdefault(session, now)
        behind = list(self._queue).index(session) - (places - len(self._inside))
        if behind < 0:
            return 0
        unused = sorted((seen, one) for one, seen in self._inside.items() if idle and now - seen >= idle)
        if behind >= len(unused):
            return behind - len(unused) + 1
        del self._inside[unused[behind][1]]
        return 0


def _is_open(session: str) -> bool:
    return not runtime.exists() or runtime.get_instance().get_client(session) is not None


_places = Places(_is_open)


def are_taken() -> bool:
    """Whether there is no place for this session now; never where the app is not public."""
    return is_public() and _ask() > 0


def wait() -> NoReturn:
    """Say so in place of the page, and let it wait. After the navigation: the browser then asks for the same page again."""
    st.title("All places are taken")
    _wait()
    st.stop()


def _ask() -> int:
    allowed = limits()
    return _places.enter(audience.session(), allowed.open, allowed.idle)


@st.fragment(run_every=ASKS_SECONDS)
def _wait() -> None:
    """The sentence of the one who waits; asks again, by itself, until there is a place."""
    number = _ask()
    if not number:
        st.rerun()
    st.markdown(words(number, limits().open))
    st.markdown("Stay here: this page opens by itself. Or run Eunoe on your own computer: `pip install eunoe`, `eunoe app`.")


def words(number: int, places: int) -> str:
    """What the one who waits is told; ``number``: in the queue."""
    others = "you are next" if number == 1 else f"{number - 1:,} {'person is' if number == 2 else 'people are'} before you"
    tabs = "1 open tab" if places == 1 else f"{places:,} open tabs"
    return f"This server has room for {tabs}, and somebody has to leave before you can come in: {others}."
