"""One kind of trouble: where it needs its store, what the disturbed program is started with, and what strikes it."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure.soak.work import Program, Work


class Fault:
    """``name``: what the command line calls it; ``words``: what a table calls it. ``ends``: whether the program ends of it."""

    name, words, ends = "", "", False

    def why_not(self) -> str:
        """Why it cannot be had on this machine, in a sentence; "" where it can."""
        return ""

    @contextlib.contextmanager
    def ground(self, folder: Path) -> Iterator[str]:
        """The address of an empty store, which is gone afterwards."""
        yield str(folder / "store")

    def environment(self, folder: Path) -> dict[str, str]:
        """What the program's environment has more."""
        return {}

    def start(self, work: Work, store: str, folder: Path) -> Program:
        """Start the program that computes ``work`` on ``store``."""
        return Program(work.words(store), folder / "scratch", folder / "log", self.environment(folder))

    def strike(self, program: Program, rng: random.Random) -> bool:
        """Strike once, and mend again what is not the program's own; False where it was over before."""
        raise NotImplementedError
