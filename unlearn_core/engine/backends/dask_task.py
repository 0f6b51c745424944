"""What Dask runs on a worker, the embedded cluster's or another: one stage at a time in a process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from unlearn_core.engine import worker
from unlearn_core.engine.backends.protocol import Event, Outcome, Request

_computing = threading.Lock()
_POLL_SECONDS = 0.2


def compute(request: Request, topic: str) -> Outcome:
    """The task: compute the stage and report on ``topic``; stops when cancelled."""
    from distributed import get_worker

    here = get_worker()

    def emit(event: Event) -> None:
        if event["event"] == "started":
            event["worker"], event["device"] = here.address, worker.device_kind(request.device)
        here.log_event(topic, event)

    def cancelled() -> bool:
        """Whether it was cancelled, or the program that asked has gone (killed, or cut off)."""
        task = here.state.tasks.get(request.token)
        return task is None or task.state == "cancelled"

    with _turn(cancelled) as mine:
        return worker.execute(request, emit, cancelled) if mine else Outcome("cancelled")


@contextlib.contextmanager
def _turn(cancelled: Callable[[], bool]) -> Iterator[bool]:
    """Wait for the other threads of this process; False where that became pointless.

    A worker that was started with several threads gets several stages, but random numbers and the number of threads
    that torch uses belong to the process: results would depend on what runs beside them.
    """
    while not (mine := _computing.acquire(timeout=_POLL_SECONDS)):
        if cancelled():
            break
    try:
        yield mine
    finally:
        if mine:
            _computing.release()
