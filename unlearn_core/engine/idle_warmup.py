"""Warms idle workers one by one: UMAP compiles on its first call in a process, which takes seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unlearn_core.engine.engine import Engine

IDLE_SECONDS = 4.0
"""The engine must have had nothing to do for so long before a worker is warmed: a first visitor's run goes first."""
_TICK = 0.5


def warm_when_idle(engine: Engine, idle: float = IDLE_SECONDS) -> None:
    """Warm one worker after the other, each after ``idle`` seconds without work, so that at most one core is ever taken.

    Returns when all are warm or the engine is no longer ready. To be called in a thread of its own.
    """
    for worker in engine.status().workers:
        if not _idle(engine, idle):
            return
        engine.warm(worker.address)


def _idle(engine: Engine, seconds: float) -> bool:
    """Wait for a pause of so many seconds; False when the engine is closed or lost before."""
    since = time.monotonic()
    while True:
        status = engine.status()
        if status.state != "ready":
            return False
        now = time.monotonic()
        if status.running or status.waiting:
            since = now
        elif now - since >= seconds:
            return True
        time.sleep(_TICK)
