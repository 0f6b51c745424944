"""Faults of processes: killed, or stopped and never continued."""

from __future__ import annotations

import contextlib
import random
import signal
import time

import psutil

from benchmarks.measure.soak.fault import Fault
from benchmarks.measure.soak.work import Program, lives

REPLACED_SECONDS = 120.0


class Kill(Fault):
    """``kill -9`` for a worker, the process with the scheduler, or the command itself."""

    def __init__(self, name: str, words: str) -> None:
        self.name, self.words, self.ends = name, words, name != "worker"

    def strike(self, program: Program, rng: random.Random) -> bool:
        hit = program.wait_for(self.name)
        if hit is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            hit.send_signal(signal.SIGKILL)
            return True
        return False


class Stop(Fault):
    """A worker is stopped (SIGSTOP) for good: the engine has to see that, and to put another in its place."""

    name, words = "stopped", "a worker is stopped and never continued"

    def strike(self, program: Program, rng: random.Random) -> bool:
        hit = program.wait_for("worker")
        if hit is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            hit.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + REPLACED_SECONDS
        while lives(hit) and not program.over:
            if time.monotonic() > deadline:
                raise SystemExit(f"A worker that stands still was not replaced within {REPLACED_SECONDS:.0f} s.")
            time.sleep(0.1)
        return True
