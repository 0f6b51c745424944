"""Reading files elsewhere: a page's thread neither hashes nor decodes, and the thread that does tells how far it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
Tell = Callable[[int, int], None]

_EVERY = 16


class NotRead(Exception):
    """What is asked for has to be read from files first, and that is not done in this thread; see :func:`defer_reading`.

    ``state`` names what the files hold as far as that is known. ``dataset``, ``params`` and ``seed`` say what to read (the
    source fills them in); a ``seed`` of None: what the files hold, without decoding them.
    """

    def __init__(self, state: str) -> None:
        super().__init__("The files have to be read first.")
        self.state = state
        self.dataset = ""
        self.params: dict[str, Any] = {}
        self.seed: int | None = None


_deferred: ContextVar[bool] = ContextVar("deferred", default=False)
_tell: ContextVar[Tell | None] = ContextVar("tell", default=None)


@contextlib.contextmanager
def defer_reading(wanted: bool = True) -> Iterator[None]:
    """Within this, in this thread, files are neither hashed nor decoded: :class:`NotRead` is raised where that is needed."""
    token = _deferred.set(wanted)
    try:
        yield
    finally:
        _deferred.reset(token)


def check_here(state: str) -> None:
    """Raise :class:`NotRead` where this thread does not read files."""
    if _deferred.get():
        raise NotRead(state)


@contextlib.contextmanager
def report_reading(tell: Tell) -> Iterator[None]:
    """Within this, in this thread, ``tell(done, total)`` hears how far reading is; what it raises ends the reading."""
    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)


def count_items(items: Sequence[T]) -> Iterator[T]:
    """The items one by one, counted for :func:`report_reading`."""
    for done, item in enumerate(items):
        tell(done, len(items))
        yield item


def tell(done: int, total: int) -> None:
    """Say how far it is, now and then."""
    listener = _tell.get()
    if listener is not None and done % _EVERY == 0:
        listener(done, total)
