"""What a soak disturbs: a program that computes a plan, and every process that it starts."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.paths import ROOT
from unlearn_core.cli.sweep import plan_stages, read_plan
from unlearn_core.engine import Engine
from unlearn_core.store import Store

METHODS = ("finetune", "retrain", "rem", "salun")
VANISH_SECONDS = 20.0


@dataclass(frozen=True)
class Work:
    """``keys``: what is stored once it is done. ``words``: store → Python's arguments that compute it there;
    ``compute``: does so in this process."""

    keys: tuple[str, ...]
    words: Callable[[str], Sequence[str]]
    compute: Callable[[Path], None]


class Program:
    """A running program. ``words``: Python's arguments; what it says goes to the file ``log``."""

    def __init__(self, words: Sequence[str], scratch: Path, log: Path, environment: Mapping[str, str]) -> None:
        scratch.mkdir(exist_ok=True)
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env=os.environ | {"TMPDIR": str(scratch), "OMP_NUM_THREADS": "1", **environment},
                stdout=out,
                stderr=out,
            )

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    def wait(self, seconds: float) -> int | None:
        """Its exit code; None where it still runs after so long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None

    def end(self) -> None:
        """Kill it where it still runs."""
        if not self.over:
            self.process.kill()
        self.process.wait()

    def family(self) -> list[psutil.Process]:
        """Every process below it that is alive now."""
        with contextlib.suppress(psutil.Error):
            return list(psutil.Process(self.process.pid).children(recursive=True))
        return []

    def target(self, kind: str) -> psutil.Process | None:
        """The process to hit: the command, its child with the scheduler, or a process below that one's fork server."""
        with contextlib.suppress(psutil.Error):
            command = psutil.Process(self.process.pid)
            if kind == "command":
                return command
            for server in command.children():
                if "unlearn_core.engine.backends.cluster_process" in server.cmdline():
                    if kind == "scheduler":
                        return server
                    workers = [worker for forker in server.children() for worker in forker.children()]
                    return workers[server.pid % len(workers)] if workers else None
        return None

    def wait_for(self, kind: str, seconds: float = 120.0) -> psutil.Process | None:
        """The target once it is there; None if the program ends before."""
        deadline = time.monotonic() + seconds
        while not self.over and time.monotonic() < deadline:
            if (found := self.target(kind)) is not None:
                return found
            time.sleep(0.02)
        return None


def plan_text(seeds: list[int], epochs: int, regularity: tuple[float, ...]) -> str:
    """A sweep of quick stages on points in a plane."""
    return json.dumps(
        {
            "dataset": "blobs",
            "regularity": list(regularity),
            "discovery": [0.3, 0.6],
            "methods": list(METHODS),
            "seeds": seeds,
            "amount": [60],
            "set": {"training.epochs": epochs, "finetune.epochs": 4, "rem.epochs": 4, "salun.epochs": 4},
        }
    )


def sweep_of(plan: Path) -> Work:
    """The command ``sweep`` on a plan."""
    keys = tuple(stage.key for stage in plan_stages(read_plan(plan)))
    return Work(
        keys,
        lambda store: ("-m", "unlearn_core", "sweep", str(plan), "--store", store, "--workers", "2"),
        lambda place: undisturbed(plan, place),
    )


def undisturbed(plan: Path, place: Path) -> None:
    """Compute a plan in this process."""
    store = Store.open(place)
    engine = Engine(store, address="inline")
    view = engine.wait(engine.submit(plan_stages(read_plan(plan)), plan.name))
    engine.close()
    store.close()
    if view.state != "done":
        raise SystemExit("The undisturbed sweep failed.")


def survivors(family: list[psutil.Process]) -> int:
    """How many of these processes are still there some seconds after the program ended."""
    deadline = time.monotonic() + VANISH_SECONDS
    while (count := sum(lives(process) for process in family)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return count


def lives(process: psutil.Process) -> bool:
    """Whether a process runs: one that has ended and whose parent never asked for its exit code does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
