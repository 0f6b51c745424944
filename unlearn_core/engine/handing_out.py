"""The stages that wait or run, and how each is handed to the workers: at once, or in turn where strangers share them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from unlearn_core.engine.backends.protocol import Request
from unlearn_core.engine.jobs import Job, Task
from unlearn_core.engine.pool import WorkerPool
from unlearn_core.engine.taking_turns import TakingTurns, count_load
from unlearn_core.engine.turns import Account

if TYPE_CHECKING:
    from unlearn_core.store import Store

SMALL_JOB = 16
"""A job with more stages is a sweep, which the workers for short stages are not for."""


class HandingOut:
    """What the scheduler is built on. Every method is called under the engine's lock."""

    def __init__(self, pool: WorkerPool, store: Callable[[], Store], device: str, runner: str) -> None:
        self._pool, self._store, self._device, self._runner = pool, store, device, runner
        self.jobs: dict[str, Job] = {}
        self._active: dict[str, Task] = {}  # by stage key
        self._tokens: dict[str, Task] = {}  # by submission
        self._turns: TakingTurns | None = None

    def tasks(self) -> list[Task]:
        """Every stage that is waiting or running."""
        return list(self._active.values())

    def load(self) -> dict[str, int]:
        """How many stages wait or run for each owner of a job."""
        return count_load(self.jobs)

    def account(self, owner: str) -> Account | None:
        """What an owner used and has left, where strangers share the workers."""
        return None if self._turns is None else self._turns.account(owner)

    def _hand_out(self, task: Task) -> None:
        """Hand a waiting task to the backend once nothing that it needs is still being computed; where there are turns it is
        handed out in its own."""
        if self._turns is None and self._can_start(task):
            self.send(task)

    def _can_start(self, task: Task) -> bool:
        if self._pool.ready is None or task.state != "waiting" or task.token or task.elsewhere:
            return False
        return not any(need in self._active for need in task.stage.needs)

    def ready(self) -> list[Task]:
        """What could start now, the most urgent first."""
        return sorted(filter(self._can_start, self._active.values()), key=self._priority, reverse=True)

    def _size(self, task: Task) -> int:
        return min((len(self.jobs[job].tasks) for job in task.jobs if job in self.jobs), default=1)

    def _priority(self, task: Task) -> int:
        # A few stages that a person waits for at the screen go before the many stages of a sweep; within a job they go about in
        # its own order: a sweep finishes scenario after scenario instead of all originals first.
        return -(self._size(task) * 1_000_000 + task.order)

    def is_short(self, task: Task) -> bool:
        """Whether a worker for short work takes it."""
        return task.stage.lane != "long" and self._size(task) <= SMALL_JOB

    def send(self, task: Task) -> None:
        """Give a task to the backend under a new token."""
        backend, store, token = self._pool.ready, self._store(), task.new_token()
        assert backend is not None
        self._tokens[token] = task
        stage = task.stage if self._size(task) <= SMALL_JOB else dataclasses.replace(task.stage, lane="long")
        given = store.location, store.identity, self._device, self._runner, self._priority(task)
        backend.run(Request(token, stage, *given, task.over))

    def _forget_token(self, task: Task) -> None:
        self._tokens.pop(task.token, None)
        if self._turns is not None:
            self._turns.ended(task.token)
