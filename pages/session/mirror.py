"""A page that many follow is drawn once: the first of them draws it, and the others get the same messages.

Fifty sessions that each ran the page's script would keep the server's one interpreter busy for many seconds.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.session import following
from pages.session.classroom import Lead

WAIT_SECONDS = 20.0
"""So long a follower waits for the one that draws, before it draws the page itself."""


@dataclass
class Drawing:
    """A page being drawn, or drawn: ``messages`` in order, None while it is not finished; ``work``: see :mod:`.following`, None
    where the page lacks nothing."""

    ready: threading.Event = field(default_factory=threading.Event)
    messages: list[ForwardMsg] | None = None
    work: int | None = None


class Mirror:
    """The drawing of the page that is followed now."""

    def __init__(self) -> None:
        self._lock, self._number, self._drawing = threading.Lock(), -1, Drawing()

    def show(self, number: int, draw: Callable[[], None]) -> None:
        """Draw the page with this number, as it was drawn for another session if it was."""
        drawing, mine = self._drawing_of(number)
        if mine:
            self._record(drawing, draw)
        elif drawing.ready.wait(WAIT_SECONDS) and drawing.messages is not None:
            if drawing.work is not None:
                following.wait_for_lecturer()
            replay(drawing.messages)
        else:  # the one that drew it was interrupted, say by its browser being closed
            draw()

    def _drawing_of(self, number: int) -> tuple[Drawing, bool]:
        """The drawing, and whether the caller has to make it."""
        with self._lock:
            last = self._drawing
            failed = last.ready.is_set() and last.messages is None
            old = last.work is not None and last.work != following.work()
            if number != self._number or failed or old:
                self._number, self._drawing = number, Drawing()
                return self._drawing, True
            return last, False

    def _record(self, drawing: Drawing, draw: Callable[[], None]) -> None:
        try:
            with recording() as messages:
                draw()
            drawing.work = following.work() if following.waits() else None
            drawing.messages = messages
        finally:
            drawing.ready.set()


@contextlib.contextmanager
def recording() -> Iterator[list[ForwardMsg]]:
    """Collects what this session's script sends to be drawn, which goes to its browser as ever."""
    context: Any = get_script_run_ctx()
    messages: list[ForwardMsg] = []
    send = context.enqueue

    def keep(message: ForwardMsg) -> None:
        send(message)  # it writes into the message to which page it belongs
        if message.WhichOneof("type") == "delta":
            messages.append(copied(message))

    context.enqueue = keep
    try:
        yield messages
    finally:
        del context.enqueue


def replay(messages: list[ForwardMsg]) -> None:
    """Send what another session's script sent, at the same places of the page."""
    context: Any = get_script_run_ctx()
    for message in messages:
        with context.run_with_active_hash(message.metadata.active_script_hash):
            context.enqueue(copied(message))


def copied(message: ForwardMsg) -> ForwardMsg:
    """A message of one's own: sending writes into it."""
    copy = ForwardMsg()
    copy.CopyFrom(message)
    return copy


_mirror = Mirror()


def show(lead: Lead, draw: Callable[[], None]) -> None:
    """Draw the page that is followed."""
    _mirror.show(lead.number, draw)
