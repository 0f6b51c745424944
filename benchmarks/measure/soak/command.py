"""Strike a running sweep or app in ten ways, again and again, and compare what it leaves with an undisturbed one.

    nice -n 5 python -m benchmarks run soak [--minutes 60] [--faults worker scheduler command app database disk slow clock lock
                                            stopped] [--seed N] [--folder FOLDER]

A round has one fault, which strikes at random moments (seeded) while a plan is computed on an empty store; where the program
ends of it, it is given again, until everything is there. What was stored stays stored, no process outlives its program; at the
end every array has its checksum, nothing lies about, and all equals the same plan computed undisturbed. Rounds go on until the
minutes are over, the faults in turn, and are added to ``benchmarks/results/soak.json``: nights add up. Without ``--seed`` they
go on from the last seed there. Faults that cannot be had on a machine are named, and left out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure.soak.app import KillApp, compare_page
from benchmarks.measure.soak.clock import Clock
from benchmarks.measure.soak.fault import Fault
from benchmarks.measure.soak.places import Database, FullDisk, Lock, SlowDisk
from benchmarks.measure.soak.processes import Kill, Stop
from benchmarks.measure.soak.round import Round
from benchmarks.measure.soak.work import Work, plan_text, sweep_of
from benchmarks.paths import RESULTS

RESULT = RESULTS / "soak.json"
FAULTS: tuple[Fault, ...] = (
    Kill("worker", "a worker is killed (kill -9)"),
    Kill("scheduler", "the process with the scheduler is killed (kill -9)"),
    Kill("command", "the command is killed (kill -9)"),
    KillApp(),
    Database(),
    FullDisk(),
    SlowDisk(),
    Clock(),
    Lock(),
    Stop(),
)
STRIKES = {"scheduler": 4, "command": 4, "app": 3, "stopped": 2}
"""At most so many in a round: what ends has to start anew, a stopped worker is replaced after a while."""
MOST_STRIKES = 6
NOTHING = ("lost", "different", "survivors", "rows_dropped", "files_left_over", "failures_left_over", "scratch_left_over")
"""What there must be none of."""
LINK = "dataset=blobs&training.epochs=12&amount=60&methods=finetune,retrain,rem,salun,neggrad_plus,scrub"
REGULARITY = (0.0, 0.5, 1.0)


class Soak:
    """``folder``: where everything lies. What is computed is the same in every round, so it is computed undisturbed once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        plan = folder / "plan.yaml"
        plan.write_text(plan_text([0], 12, REGULARITY))
        self._works: dict[str, Work] = {"sweep": sweep_of(plan), "app": compare_page(LINK)}

    def round(self, fault: Fault, seed: int, strikes: int | None = None) -> dict[str, Any]:
        """One round; its store goes afterwards."""
        kind = "app" if fault.name == "app" else "sweep"
        calm = self.folder / f"calm-{kind}"
        if not calm.exists():
            self._works[kind].compute(calm)
        most = STRIKES.get(fault.name, MOST_STRIKES) if strikes is None else strikes
        place = tempfile.TemporaryDirectory(dir=self.folder, prefix=f"{fault.name}-{seed}-")
        with place as name:
            Path(name).chmod(0o755)  # a database server runs as another user
            return Round(fault, self._works[kind], Path(name) / "r", seed, most).run(calm)


def rounds(names: list[str], first: int, minutes: float, folder: Path) -> Iterator[dict[str, Any]]:
    """Rounds until the time is over, every fault once with each seed."""
    deadline = time.monotonic() + 60 * minutes
    chosen = [fault for fault in FAULTS if fault.name in names]
    for fault in [fault for fault in chosen if fault.why_not()]:
        print(f"Left out: {fault.name}, because {fault.why_not()}.", flush=True)
        chosen.remove(fault)
    soak = Soak(folder)
    for seed in itertools.count(first):
        for fault in chosen:
            if time.monotonic() > deadline:
                return
            yield soak.round(fault, seed)
        if not chosen:
            return


def add(found: dict[str, Any]) -> None:
    """Add a round to what is counted; where it was counted before, it takes that place."""
    known = json.loads(RESULT.read_text())
    others = [one for one in known["rounds"] if (one["fault"], one["seed"]) != (found["fault"], found["seed"])]
    lines = ",\n".join(f"  {json.dumps(one)}" for one in [*others, found])
    RESULT.write_text(f'{{"earlier": {json.dumps(known["earlier"])},\n"rounds": [\n{lines}\n]}}\n')


def next_seed() -> int:
    """The seed after those that are counted."""
    known = json.loads(RESULT.read_text())["rounds"]
    return 1 + max((int(one["seed"]) for one in known), default=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = [fault.name for fault in FAULTS]
    parser.add_argument("--faults", nargs="+", choices=every, default=every)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="of the first rounds [default: after those that are counted]")
    parser.add_argument("--folder", type=Path, default=None, help="an empty folder to work in, kept afterwards")
    options = parser.parse_args()
    wrong = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        first = next_seed() if options.seed is None else options.seed
        for found in rounds(options.faults, first, options.minutes, folder):
            add(found)
            print(json.dumps(found), flush=True)
            wrong += [f"{found['fault']} {found['seed']}: {name}" for name in NOTHING if found[name]]
    if wrong:
        raise SystemExit(f"Something was lost, is different, or was left over: {'; '.join(wrong)}.")
