"""The turns of a scheduler whose workers strangers share: hands out when one is free, stops who used up the time."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from unlearn_core.engine.jobs import Job, Task
from unlearn_core.engine.pool import WorkerPool
from unlearn_core.engine.turns import Account, Ready, Room, Turns

USED_UP = (
    "This was stopped: one session may use {seconds:,} seconds of computing in {window:,} on this server. Ask for less, or "
    "wait until some of them are free again."
)
_WAKE_SECONDS = 0.05


class Queue(Protocol):
    """The scheduler, as it is seen here. Every method is called under its lock."""

    jobs: dict[str, Job]

    def ready(self) -> list[Task]:
        """What could start now, an owner's most urgent first."""

    def is_short(self, task: Task) -> bool: ...

    def send(self, task: Task) -> None:
        """Give it to the workers under a new token."""

    def give_up(self, token: str, message: str) -> None:
        """Stop what runs under this token; its stage has failed for that reason."""


class TakingTurns:
    """Every method is called under the lock of ``changed``."""

    def __init__(self, turns: Turns, changed: threading.Condition, pool: WorkerPool, queue: Queue) -> None:
        self._turns, self._changed, self._pool, self._queue = turns, changed, pool, queue
        self._wake_at = math.inf

    def take(self) -> None:
        """Hand out as much as the workers take."""
        now, room = time.monotonic(), self._room()
        while True:
            ready = [Ready(task, self._owners(task), self._queue.is_short(task)) for task in self._queue.ready()]
            found = self._turns.pick(ready, room, now)
            if found is None:
                break
            one, owner = found
            self._queue.send(one.task)
            self._turns.begin(one.task.token, owner, one.short)
        waits = [self._turns.frees_in(owner, now) for one in ready for owner in one.owners if self._turns.left(owner, now) <= 0]
        if waits and now + min(waits) < self._wake_at:
            self._wake_at = now + min(waits)
            _later(min(waits) + _WAKE_SECONDS, self._wake)

    def started(self, token: str) -> None:
        """A worker has begun with it: it is stopped when nobody who wants it has seconds left."""
        self._watch(token, self._turns.start(token, time.monotonic()))

    def ended(self, token: str) -> None:
        self._turns.end(token, time.monotonic())

    def clear(self) -> None:
        self._turns.clear()

    def account(self, owner: str) -> Account:
        """What this owner used and has left."""
        return self._turns.account(owner, time.monotonic())

    def _room(self) -> Room:
        spare = sum(view.spare for view in self._pool.workers())
        return Room(self._pool.slots(), spare)

    def _owners(self, task: Task) -> list[str]:
        jobs = self._queue.jobs
        return sorted({owner for job in task.jobs if job in jobs for owner in jobs[job].owners})

    def _watch(self, token: str, seconds: float) -> None:
        if seconds < math.inf:
            _later(seconds, self._stop, token)

    def _stop(self, token: str) -> None:
        with self._changed:
            task = next((one for job in self._queue.jobs.values() for one in job.tasks if one.token == token), None)
            if task is None or task.finished:
                return
            left = self._turns.pass_on(token, self._owners(task), time.monotonic())
            if left > 0:
                self._watch(token, left)
            else:
                self._queue.give_up(token, USED_UP.format(seconds=self._turns.limits.seconds, window=self._turns.limits.window))

    def _wake(self) -> None:
        with self._changed:
            self._wake_at = math.inf
            self.take()


def count_load(jobs: Mapping[str, Job]) -> dict[str, int]:
    """How many stages wait or run for each owner; one that several want counts for each."""
    found: Counter[str] = Counter()
    for owner in {owner for job in jobs.values() for owner in job.owners}:
        found[owner] = len({key for job in jobs.values() if owner in job.owners for key in job.unfinished()})
    return dict(found)


def _later(seconds: float, act: object, *given: object) -> None:
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), act, given)  # type: ignore[arg-type]
    timer.daemon = True
    timer.start()
