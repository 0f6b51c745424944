"""Stages in a thread of this process, one after the other: no cluster to start, nothing to survive a crash."""

from __future__ import annotations

import os
import queue
import sys
import threading

from unlearn_core.engine import worker
from unlearn_core.engine.backends.protocol import Event, Listener, Request, pass_on
from unlearn_core.engine.status import WorkerView

STOP_SECONDS = 5.0


class InlineBackend:
    """A queue and one thread, ordered by priority, then by arrival."""

    address = "inline"

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._queue: queue.PriorityQueue[tuple[int, int, Request | None]] = queue.PriorityQueue()
        self._count = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="eunoe-inline", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def run(self, request: Request) -> None:
        self._put(-request.priority, request)

    def cancel(self, tokens: list[str]) -> None:
        worker.cancel(tokens)

    def workers(self) -> list[WorkerView]:
        return [WorkerView("inline", os.getpid(), 1)]

    def note(self) -> str:
        return ""

    def device(self) -> str:
        return worker.device_kind("auto") if "torch" in sys.modules else ""  # else to say so would import it

    def find_device(self) -> None:
        """Nothing: it is this process's."""

    def warm(self, address: str) -> None:
        """Nothing: the one thread is there for submitted stages."""

    def close(self) -> None:
        """Stop after the stage that runs (which was cancelled before), and give it a moment to do so."""
        self._put(-(10**15), None)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(STOP_SECONDS)

    def _put(self, order: int, request: Request | None) -> None:
        with self._lock:
            self._count += 1
            self._queue.put((order, self._count, request))

    def _work(self) -> None:
        while (request := self._queue.get()[2]) is not None:
            self._listener.on_finished(request.token, worker.execute(request, self._hear))

    def _hear(self, event: Event) -> None:
        if event["event"] == "started":
            self._listener.on_started(event["token"], "inline")
        elif event["event"] != "ended":
            pass_on(event, self._listener)
