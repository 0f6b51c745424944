"""Stages that workers can import: they sleep, fail, hang or kill their own process on demand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unlearn_core.engine.backends.admission import dask_setup
from unlearn_core.errors import Cancelled, UserError
from unlearn_core.store import Store

__all__ = ["RUNNER", "Stage", "dask_setup", "run_stage", "until"]  # workers that import this say their versions

RUNNER = "tests.engine.dummy:run_stage"


def until(true: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait for something that must happen; the time is for a machine that is busy with other things."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


@dataclass(frozen=True)
class Stage:
    """The same fields as the real one, without torch."""

    key: str
    payload: dict[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    kind: str = "run"
    title: str = "Dummy"
    weight: float = 1.0
    lane: str = "long"


def run_stage(stage: Stage, store: Store, device: str, reporter: Any) -> None:
    """Do what the payload says: steps × pause, then fail or store."""
    what, begun = stage.payload, time.monotonic()
    if "log" in what:
        with Path(what["log"]).open("a") as log:
            log.write(f"{stage.key} {os.getpid()}\n")
    for need in stage.needs:
        assert store.get(need) is not None
    if what.get("deaf"):
        time.sleep(what["deaf"])
    steps = what.get("steps", 1)
    for step in range(steps):
        if reporter.cancelled():
            raise Cancelled
        time.sleep(what.get("pause", 0.0))
        reporter.step(step + 1, steps, loss=float(step))
    if what.get("die") == "always" or (what.get("die") == "once" and Path(what["log"]).read_text().count(stage.key) == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if "fail" in what:
        raise (UserError if what.get("user") else RuntimeError)(what["fail"])
    if not what.get("nothing"):
        store.put(stage.key, stage.kind, {}, {"pid": os.getpid(), "span": [begun, time.monotonic()]}, {})
