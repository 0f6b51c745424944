"""What the engine tells the outside: frozen pictures of jobs, stages and workers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

JobState = Literal["running", "done", "failed", "cancelled"]
StageState = Literal["waiting", "running", "done", "cached", "failed", "cancelled"]
EngineState = Literal["off", "starting", "ready", "lost"]

RECENT_SECONDS = 300.0


def rate_per_minute(finished: Iterable[float], now: float) -> float | None:
    """Stages a minute, from the times (seconds) at which some were finished; None where none was lately."""
    recent = [time for time in finished if now - time <= RECENT_SECONDS]
    # The window starts with the first of them, but is never so short that one quick stage makes a rate.
    return 60 * len(recent) / max(10.0, now - min(recent)) if recent else None


@dataclass(frozen=True)
class StageView:
    """One stage of a job. ``done`` of ``total`` are steps counted by the computation; times in seconds.

    ``message`` is the cause of a failure, or what happened to the attempt; ``scalars`` the last reported numbers.
    ``waits_for``: what a waiting stage waits for, in words; ``waits``: seconds until then, None where nothing counts them.
    """

    key: str
    kind: str
    title: str
    state: StageState
    done: int = 0
    total: int = 0
    elapsed: float = 0.0
    eta: float | None = None
    attempt: int = 1
    message: str = ""
    scalars: dict[str, float] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    waits_for: str = ""
    waits: float | None = None


@dataclass(frozen=True)
class JobView:
    """One submission. ``done`` of ``total`` are stages; ``eta`` is None until finished work allows an estimate.

    ``shared``: its unfinished stages that another running job wants too, and that go on when this one is cancelled.
    """

    id: str
    title: str
    state: JobState
    stages: tuple[StageView, ...]
    elapsed: float
    eta: float | None
    done: int
    total: int
    shared: int = 0


@dataclass(frozen=True)
class WorkerView:
    """One worker process and the title of the stage it computes ("" when idle). ``spare``: it is kept for short work.

    ``refused``: why it gets no stage, in a sentence; "" where it gets some."""

    address: str
    pid: int
    threads: int
    stage: str = ""
    spare: bool = False
    refused: str = ""


@dataclass(frozen=True)
class EngineView:
    """The engine itself. ``running`` and ``waiting`` count stages; ``message`` says why it is lost or off, or what
    is wrong with its workers. ``per_minute``: stages finished in a minute, over the last :data:`RECENT_SECONDS`; None where
    none was."""

    state: EngineState
    address: str
    workers: tuple[WorkerView, ...]
    device: str
    running: int
    waiting: int
    message: str = ""
    per_minute: float | None = None
