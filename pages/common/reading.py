"""What would hold a page up, outside of its script: one at a time in a thread, the outcome kept for all sessions of this
server."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import streamlit as st

from unlearn_core.figures.sentences import progress

if TYPE_CHECKING:
    from unlearn_core.insight.own import Cost, Reading
    from unlearn_core.specs import Scenario

AT_ONCE = 0.6
"""Seconds for which a page waits: what is read in that time needs no progress bar."""
OLD = 10.0
"""Seconds after which files count as changed when the page is opened anew."""
_MOST = 16


class _Shelf:
    """Outcomes by what was asked; the oldest make room."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="lethe-reading")
        self.known: OrderedDict[str, Future[Any]] = OrderedDict()
        self.done: dict[Future[Any], float] = {}
        self.lock = threading.Lock()

    def ask(self, key: str, work: Callable[[], Any]) -> Future[Any]:
        with self.lock:
            if key not in self.known:
                self.known[key] = self.pool.submit(work)
                self.known[key].add_done_callback(lambda future: self.done.update({future: time.monotonic()}))
                while len(self.known) > _MOST:
                    self.done.pop(self.known.popitem(last=False)[1], None)
            self.known.move_to_end(key)
            return self.known[key]

    def forget(self, key: str, age: float = 0.0) -> None:
        """Drop an outcome that has been there for ``age`` seconds or more; 0 drops what is still being worked on too."""
        with self.lock:
            future = self.known.get(key)
            if future is not None and (not age or time.monotonic() - self.done.get(future, math.inf) >= age):
                self.done.pop(self.known.pop(key), None)


@st.cache_resource(show_spinner=False)
def _shelf() -> _Shelf:
    return _Shelf()


def reading(params: dict[str, Any], seed: int, side: int = 0, *, opened: bool) -> Future[Reading]:
    """What these files hold, for a network that takes ``side`` pixels; being read since somebody first asked. Where the page
    has just been opened, what was read some time ago is read anew: the files may have changed since."""

    def work() -> Reading:
        from unlearn_core.insight.own import read

        return read("images", params, seed, side)

    if opened:
        _shelf().forget(_key(params, seed, side), OLD)
    return _shelf().ask(_key(params, seed, side), work)


def again(params: dict[str, Any], seed: int, side: int = 0) -> None:
    """Read these files anew when somebody asks next: they may have changed."""
    _shelf().forget(_key(params, seed, side))


def later(key: str, work: Callable[[], Any]) -> Future[Any]:
    """Any other work; under way since somebody first asked with this key. What fails is tried again when asked again."""
    future = _shelf().ask(key, work)
    if future.done() and future.exception() is not None:
        _shelf().forget(key)
    return future


def cost(scenario: Scenario) -> Future[Cost]:
    """What training the original will cost; timed since somebody first asked."""

    def work() -> Cost:
        from unlearn_core.insight.own import cost as timed

        return timed(scenario)

    return _shelf().ask(f"cost:{scenario.original_key}", work)


def waited(future: Future[Any]) -> bool:
    """Whether the outcome is there, after a moment at most."""
    try:
        future.exception(AT_ONCE)
    except TimeoutError:
        return False
    return True


@st.fragment(run_every=0.5)
def moment(future: Future[Any], text: str) -> None:
    """A line for what takes a moment and has no parts to count; the page is drawn again when it is done."""
    if future.done():
        st.rerun()
    st.caption(text)


@st.fragment(run_every=0.5)
def bar(future: Future[Any], path: str) -> None:
    """Progress of what is being read; the page is drawn again when it is done."""
    if future.done():
        st.rerun()
    from unlearn_core.datasets._images.loading import decoding

    counted = decoding(os.path.abspath(os.path.expanduser(path)))
    if counted is None:
        st.progress(0.0, text="Looking through the files; each is read once. Large folders take a minute or so.")
    else:
        done, total = counted
        st.progress(progress(done, total), text=f"Decoding images: {done:,} of {total:,}")


def _key(params: dict[str, Any], seed: int, side: int) -> str:
    return json.dumps([params, seed, side], sort_keys=True)
