"""Jobs and their stages: states and estimates. Pure book-keeping: no threads, no scheduler, the time is an argument."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unlearn_core.engine.order import arrange
from unlearn_core.engine.status import JobState, JobView, StageState, StageView

if TYPE_CHECKING:
    from unlearn_core.engine.waiting import Waits
    from unlearn_core.stages.stage import Stage
    from unlearn_core.store import Lease

FINISHED: frozenset[StageState] = frozenset({"done", "cached", "failed", "cancelled"})

MEANINGFUL = 0.1
"""From this share of its steps on, a running stage tells something about the cost of others."""


@dataclass
class Task:
    """One stage being computed for one or more jobs. ``token`` names the current submission; times are clock readings."""

    stage: Stage
    state: StageState = "waiting"
    order: int = 0
    token: str = ""
    jobs: set[str] = field(default_factory=set)
    done: int = 0
    total: int = 0
    started: float | None = None
    ended: float | None = None
    attempt: int = 1
    resubmitted: int = 0
    worker: str = ""
    message: str = ""
    held: str = ""
    """What keeps it from going on while it runs."""
    elsewhere: bool = False
    """Whether another program on this store is computing it; it then waits for that."""
    over: Lease | None = None
    """Another's lease that was found abandoned."""
    scalars: dict[str, float] = field(default_factory=dict)
    counted: list[tuple[float, int]] = field(default_factory=list)
    """(time, steps done) at the first and the last message: preparing the first step is no part of the pace."""

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    @property
    def seconds(self) -> float:
        """How long it took; 0 for what never ran."""
        return 0.0 if self.started is None or self.ended is None else self.ended - self.started

    def new_token(self) -> str:
        """A name for the next submission: what an earlier one still says can be told apart. Dask groups by its start."""
        self.token = f"{self.stage.kind}-{self.stage.key}-{uuid.uuid4().hex[:8]}-{self.attempt}"
        return self.token

    def reset(self) -> None:
        """Forget the progress of a lost attempt."""
        self.state, self.done, self.total, self.started, self.worker, self.scalars = "waiting", 0, 0, None, "", {}
        self.held = ""
        self.counted = []

    def progress(self, now: float, done: int, total: int, scalars: dict[str, float]) -> None:
        """Note what was counted; a total that changes begins the counting anew."""
        if total != self.total or done < self.done:
            self.counted = []
        self.done, self.total, self.scalars = done, total, scalars
        self.counted = [*self.counted[:1], (now, done)]

    def finish(self, state: StageState, now: float, message: str = "") -> None:
        self.state, self.ended, self.held = state, now, ""
        self.message = message or (self.message if state == "done" else "")
        if state == "done":
            self.done = self.total

    def remaining(self, now: float, rate: float | None) -> float | None:
        """Seconds still to go, from counted steps, or from the seconds per weight of finished stages; None if unknown."""
        if self.finished:
            return 0.0
        spent = now - self.started if self.started is not None else 0.0
        if self.state == "running" and len(self.counted) == 2 and self.counted[1][1] > self.counted[0][1]:
            (first, begun), (last, done) = self.counted
            left = (last - first) / (done - begun) * max(0, self.total - done)
            return max(0.0, left - (now - last))
        return None if rate is None else max(0.0, self.stage.weight * rate - spent)

    @property
    def share(self) -> float:
        """Share of its steps that are done."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def view(
        self, now: float, rate: float | None, state: StageState | None = None, waits: tuple[str, float | None] = ("", None)
    ) -> StageView:
        """A frozen picture; ``state`` replaces the state for a job that has been cancelled. ``waits``: what it waits for."""
        end = self.ended if self.ended is not None else now
        shown = state or self.state
        return StageView(
            key=self.stage.key,
            kind=self.stage.kind,
            title=self.stage.title,
            state=shown,
            done=self.done,
            total=self.total,
            elapsed=0.0 if self.started is None else max(0.0, end - self.started),
            eta=None if shown in FINISHED else self.remaining(now, rate),
            attempt=self.attempt,
            message=self.held or self.message,
            scalars=dict(self.scalars),
            waits_for="" if shown in FINISHED else waits[0],
            waits=None if shown in FINISHED else waits[1],
            params=dict((self.stage.payload.get("method") or {}).get("params") or {}),
        )


@dataclass
class Job:
    """One submission: its stages in order, dependencies first."""

    id: str
    title: str
    tasks: list[Task]
    started: float
    ended: float | None = None
    dropped: set[str] = field(default_factory=set)
    """Keys that were unfinished when the job was cancelled; they may go on for another job."""
    owners: set[str] = field(default_factory=set)
    """On whose account it goes where strangers share the workers: of several who asked for the same, all."""
    askers: dict[str, float] = field(default_factory=dict)
    """Who wants it, and until when (clock reading) as far as is known: for ever for those who asked for it."""

    def state_of(self, task: Task) -> StageState:
        return "cancelled" if task.stage.key in self.dropped else task.state

    def unfinished(self) -> set[str]:
        """Keys of its stages that wait or run."""
        return {task.stage.key for task in self.tasks if self.state_of(task) not in FINISHED}

    @property
    def finished(self) -> bool:
        return all(self.state_of(task) in FINISHED for task in self.tasks)

    @property
    def state(self) -> JobState:
        states = {self.state_of(task) for task in self.tasks}
        if not states <= FINISHED:
            return "running"
        return "failed" if "failed" in states else "cancelled" if "cancelled" in states else "done"

    def arrange(self, workers: int) -> None:
        """Give its stages their turns for so many workers, those that have ended as well: turns that were given stay about
        right. What was stored before costs nothing."""
        turns = arrange([task.stage for task in self.tasks if task.state != "cached"], workers)
        for task in self.tasks:
            task.order = turns.get(task.stage.key, task.order)

    def view(self, now: float, workers: int, waits: Waits = lambda task: ("", None)) -> JobView:
        """A frozen picture with estimates for ``workers`` stages at a time; ``waits`` says what a stage waits for."""
        rate = seconds_per_weight(self.tasks, now)
        stages = tuple(task.view(now, rate, self.state_of(task), waits(task)) for task in self.tasks)
        finished = sum(stage.state in FINISHED for stage in stages)
        return JobView(
            id=self.id,
            title=self.title,
            state=self.state,
            stages=stages,
            elapsed=(self.ended if self.ended is not None else now) - self.started,
            eta=None if self.finished else estimate(self.tasks, now, rate, workers),
            done=finished,
            total=len(stages),
            shared=sum(len(task.jobs) > 1 for task in self.tasks if self.state_of(task) not in FINISHED),
        )


def seconds_per_weight(tasks: Sequence[Task], now: float) -> float | None:
    """Mean cost of one unit of weight, from finished stages and from the counted steps of running ones."""
    seconds = weight = 0.0
    for task in tasks:
        if task.state == "done" and task.started is not None:
            seconds, weight = seconds + task.seconds, weight + task.stage.weight
        elif task.state == "running" and task.share >= MEANINGFUL and task.started is not None:
            seconds, weight = seconds + now - task.started, weight + task.stage.weight * task.share
    return seconds / weight if weight else None


def estimate(tasks: Sequence[Task], now: float, rate: float | None, workers: int) -> float | None:
    """Seconds until every task is finished: the longest chain of dependencies, or the work shared by the workers."""
    ends: dict[str, float] = {}
    total = 0.0
    for task in tasks:
        remaining = task.remaining(now, rate)
        if remaining is None:
            return None
        ends[task.stage.key] = remaining + max((ends.get(need, 0.0) for need in task.stage.needs), default=0.0)
        total += remaining
    return max(max(ends.values(), default=0.0), total / max(1, workers))
