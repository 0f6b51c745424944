"""Who is told that the database keeps somebody waiting, and why: a stage that waits looks like one that computes otherwise."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

TOLD_AFTER = 5.0
"""Seconds of waiting that nobody is told of."""

Tell = Callable[[str], None]

_told: ContextVar[Tell | None] = ContextVar("told_of_waits", default=None)


@contextlib.contextmanager
def telling(tell: Tell) -> Iterator[None]:
    """In this thread, ``tell`` hears why the database is waited for, once it took a while, and "" when that is over."""
    token = _told.set(tell)
    try:
        yield
    finally:
        _told.reset(token)


def piece(seconds: float) -> float:
    """How long to wait in one piece of ``seconds``: where somebody is to be told, no longer than until then."""
    return seconds if _told.get() is None else min(seconds, TOLD_AFTER)


class Wait:
    """One wait, told at most once, and its end."""

    def __init__(self) -> None:
        self._tell, self._said = _told.get(), False

    def goes_on(self, waited: float, why: Callable[[], str]) -> None:
        """It took ``waited`` seconds so far."""
        if self._tell is not None and not self._said and waited >= TOLD_AFTER:
            self._said = True
            self._tell(why())

    def ends(self) -> None:
        """Nobody waits any more."""
        if self._tell is not None and self._said:
            self._tell("")
