"""One round of a soak: a program on an empty store, struck at random moments, and given again until all is computed."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measure.soak.fault import Fault
from benchmarks.measure.soak.outcome import compare, leftovers
from benchmarks.measure.soak.work import Program, Work, survivors
from unlearn_core.store import Store

EARLY = 0.2
"""The share of strikes that come while the program starts."""
STUCK_SECONDS = 900.0
IN_VAIN = 3
"""So many attempts without a strike have to be enough."""
TRACEBACK = "Traceback (most recent call last)"


@dataclass
class Round:
    """``strikes``: how many at most; ``most``: results between two of them at most. ``lost``: keys that were stored and then
    were not; ``again``: how often the program ended before it was done, and was given again."""

    fault: Fault
    work: Work
    folder: Path
    seed: int
    strikes: int
    most: int = 3
    times: int = 0
    lost: set[str] = field(default_factory=set)
    again: int = 0
    survivors: int = 0
    calm: int = 0
    """Attempts in a row that nothing struck."""

    def __post_init__(self) -> None:
        self._rng = random.Random(f"{self.fault.name} {self.seed}")

    def run(self, undisturbed: Path) -> dict[str, Any]:
        """What happened and what is left, beside the store ``undisturbed``."""
        start = time.monotonic()
        self.folder.mkdir(parents=True)
        with self.fault.ground(self.folder) as place:
            self._store = Store.open(place)
            while not self._attempt(place):
                self.again += 1
                if self.calm >= IN_VAIN:
                    raise SystemExit(f"{self.fault.name}: {IN_VAIN} attempts in vain. {self._log()[-2000:]}")
            self.lost |= set(self.work.keys) - self._stored()
            found = compare(place, undisturbed, self.work.keys) | leftovers(place, self.folder / "scratch")
            self._store.close()
        return {
            "fault": self.fault.name,
            "seed": self.seed,
            "seconds": round(time.monotonic() - start, 1),
            "times": self.times,
            "again": self.again,
            "lost": sorted(self.lost),
            "survivors": self.survivors,
            "tracebacks": self._log().count(TRACEBACK),
        } | found

    def _attempt(self, place: str) -> bool:
        """Start the program, strike it while strikes are left, and wait for its end; whether it did everything."""
        before = self.times
        program = self.fault.start(self.work, place, self.folder)
        try:
            family = self._disturb(program)
            if (code := program.wait(STUCK_SECONDS)) is None:
                raise SystemExit(f"{self.fault.name}: it still runs after {STUCK_SECONDS:.0f} s. {self._log()[-2000:]}")
        finally:
            program.end()
        self.survivors += survivors(family)
        self.calm = 0 if self.times > before else self.calm + 1
        return code == 0

    def _disturb(self, program: Program) -> list[psutil.Process]:
        """Strike until the program is over or nothing is left to strike with; returns every process seen below it last."""
        family = list[psutil.Process]()
        while not program.over and self.times < self.strikes:
            if self._rng.random() >= EARLY:
                wanted = len(self._stored()) + self._rng.randint(0, self.most)
                while not program.over and len(self._stored()) < wanted:
                    time.sleep(0.05)
            program.wait(self._rng.uniform(0.0, 1.0))
            family = program.family() or family
            before = self._stored()
            if program.over or not self.fault.strike(program, self._rng):
                continue
            self.times += 1
            self.lost |= before - self._stored()
            if self.fault.ends:
                break
        return program.family() or family

    def _stored(self) -> set[str]:
        return self._store.has(self.work.keys)

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""
