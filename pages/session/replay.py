"""A page that a whole class follows is drawn once: every other student's session is sent what the first one was sent.

All who follow see the same page with the same settings, and none of its controls can be moved: fifty runs of its script would
give fifty times the same, one after another in one process. What is each student's own stays outside: the class's bar, the
step of a lesson with its question, and the page of lessons.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from streamlit.cursor import get_container_cursor
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.RootContainer_pb2 import RootContainer
from streamlit.runtime.scriptrunner import get_script_run_ctx

KEPT = 4
"""So many drawings are kept: those of the last views of the lecturer."""
PATIENCE = 20.0
"""Seconds that a session waits for another one to draw its page; then it draws the page itself."""
Key = tuple[object, ...]


class Shown(Exception):
    """The rest of this page is there: it was sent from a drawing."""


@dataclass
class _Drawing:
    """``messages``: None until it is done, and for ever where it cannot be sent to others; ``start``: where on the page it
    began; ``waits``: whether results are waited for."""

    done: threading.Event = field(default_factory=threading.Event)
    messages: tuple[ForwardMsg, ...] | None = None
    start: int = 0
    waits: bool = False


_lock = threading.Lock()
_drawings: OrderedDict[Key, _Drawing] = OrderedDict()


def send(key: Key) -> tuple[bool, bool]:
    """Send this session the page that another one has drawn under this key.

    Returns whether that was possible, and whether the page waits for results. Where it was not, the caller draws the page,
    inside :func:`recording`.
    """
    with _lock:
        found = _drawings.get(key)
    if found is None or not found.done.wait(PATIENCE) or found.messages is None:
        return False, False
    page = get_script_run_ctx()
    if page is None:
        return False, False
    offset = _here() - found.start
    for message in found.messages:
        page.enqueue(_moved(message, offset))
    return True, found.waits


@contextlib.contextmanager
def recording(key: Key) -> Iterator[_Drawing]:
    """Keep what is drawn inside for the others, as far as whoever comes first can: a page that redraws a part of itself is
    drawn by every session for itself, and where one was left early, the next who comes tries again."""
    page = get_script_run_ctx()
    with _lock:
        first = key not in _drawings and page is not None
        mine = _drawings.setdefault(key, _Drawing()) if first else _Drawing()
        while len(_drawings) > KEPT:
            _drawings.popitem(last=False)[1].done.set()
    if not first or page is None:
        yield mine
        return
    messages: list[ForwardMsg] = []
    enqueue = page.enqueue

    def keep(message: ForwardMsg) -> None:
        enqueue(message)
        messages.append(_copy(message))

    mine.start = _here()
    setattr(page, "enqueue", keep)  # noqa: B010  mypy takes no method for another one
    try:
        yield mine
        if not any(message.WhichOneof("type") == "auto_rerun" for message in messages):
            mine.messages = tuple(message for message in messages if message.WhichOneof("type") == "delta")
    except BaseException:
        with _lock:
            if _drawings.get(key) is mine:  # the next who comes tries again
                del _drawings[key]
        raise
    finally:
        setattr(page, "enqueue", enqueue)  # noqa: B010
        mine.done.set()


def forget() -> None:
    """Drop all drawings: the class is over."""
    with _lock:
        while _drawings:
            _drawings.popitem()[1].done.set()


def _here() -> int:
    """Where on the page the next element goes."""
    cursor: Any = get_container_cursor(RootContainer.MAIN)
    return 0 if cursor is None else int(cursor.index)


def _copy(message: ForwardMsg) -> ForwardMsg:
    new = ForwardMsg()
    new.CopyFrom(message)
    return new


def _moved(message: ForwardMsg, offset: int) -> ForwardMsg:
    """The message for a page whose elements above are so many more; parts that could be redrawn alone are whole there."""
    new = _copy(message)
    new.delta.fragment_id = ""
    path = new.metadata.delta_path
    if offset and path and path[0] == RootContainer.MAIN:
        path[1] += offset
    return new
