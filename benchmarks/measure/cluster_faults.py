"""Sweeps on a cluster whose machines fail: what is lost, and whether the results are those of an undisturbed sweep.

    nice -n 5 python -m benchmarks run cluster_faults [--rounds 3] [--seed 0] [--folder FOLDER] [--add]

Scheduler, three workers and ``sweep`` are processes in network namespaces of their own, over TLS, on one store. In every round
two workers are there and a third joins late; then, at random moments (seeded), a worker is killed, stands still for three
seconds or is cut off for three, the scheduler is killed, or the command is. What has ended is started again, until the plan is
computed. Needs the right to make namespaces. Writes ``benchmarks/results/cluster_faults.json``, with ``--add`` together with
what is counted there (give another seed).
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure.cluster_machines import Machines, why_not
from benchmarks.measure.soak.outcome import compare
from benchmarks.measure.soak.work import plan_text, undisturbed
from benchmarks.paths import RESULTS
from unlearn_core.cli.sweep import plan_stages, read_plan
from unlearn_core.store import Store

RESULT = RESULTS / "cluster_faults.json"
WORKERS = 3
LATE = "a worker joins late"
KILLED, SLOW, CUT = "a worker is killed", "a worker stands still for 3 s", "a worker is cut off for 3 s"
SCHEDULER, COMMAND = "the scheduler is killed", "the sweep is killed"
FAULTS = (KILLED, SLOW, CUT, SCHEDULER, KILLED, SLOW, CUT, COMMAND)
"""In a round each of them in a random order, as often as it is here, until the plan is computed."""
PAUSE = 3.0
LIMIT_SECONDS = 600.0


@dataclass
class Round:
    """One plan on machines that fail. ``times``: fault → how often; ``lost``: keys stored before one and not after."""

    machines: Machines
    plan: Path
    store: Store
    keys: list[str]
    rng: random.Random
    times: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    commands: int = 0

    def run(self) -> None:
        """Until everything is computed; ends the benchmark where that takes too long."""
        deadline = time.monotonic() + LIMIT_SECONDS
        self._mend(workers=2)
        self._until_more(2, deadline)
        self.machines.start_worker(2)
        self._note(LATE, set())
        faults = list(FAULTS)
        self.rng.shuffle(faults)
        while not self._done():
            if time.monotonic() > deadline:
                raise SystemExit(f"{len(self.store.has(self.keys))} of {len(self.keys)} stages after {LIMIT_SECONDS:.0f} s.")
            self._until_more(self.rng.randint(1, 4), deadline)
            time.sleep(self.rng.uniform(0, 0.5))
            if faults and not self._done():
                fault, before = faults.pop(), self.store.has(self.keys)
                self._strike(fault)
                self._note(fault, before)
            self._mend(WORKERS)

    def _done(self) -> bool:
        return self.store.has(self.keys) == set(self.keys)

    def _until_more(self, results: int, deadline: float) -> None:
        """Wait for more results, and start again what has ended meanwhile."""
        wanted = min(len(self.keys), len(self.store.has(self.keys)) + results)
        while len(self.store.has(self.keys)) < wanted and time.monotonic() < deadline:
            time.sleep(0.1)
            self._mend(sum(name.isdigit() for name in self.machines.processes))

    def _strike(self, fault: str) -> None:
        name = str(self.rng.randrange(WORKERS))
        if fault in (SLOW, CUT):
            act: Callable[..., None] = self.machines.pause if fault == SLOW else self.machines.cut
            act(name, on=True)
            time.sleep(PAUSE)
            act(name, on=False)
        else:
            self.machines.kill({SCHEDULER: "scheduler", COMMAND: "asking"}.get(fault, name))

    def _mend(self, workers: int) -> None:
        """Start what is not there: the scheduler, so many workers, and the command, until it has nothing left to do."""
        machines = self.machines
        if not machines.alive("scheduler"):
            machines.start_scheduler()
        for number in range(workers):
            if not machines.alive(str(number)):
                machines.start_worker(number)
        if not machines.alive("asking") and not self._done():
            options = ["--engine", machines.address, "--store", self.store.location, "--device", "cpu"]
            machines.start("asking", ["-m", "unlearn_core", "sweep", str(self.plan), *options])
            self.commands += 1

    def _note(self, fault: str, before: set[str]) -> None:
        self.times[fault] = self.times.get(fault, 0) + 1
        self.lost[fault] = self.lost.get(fault, 0) + len(before - self.store.has(self.keys))


def faults(folder: Path, rounds: int, seed: int) -> dict[str, Any]:
    """What happened in so many rounds, and how what is left compares."""
    times: dict[str, int] = {}
    lost: dict[str, int] = {}
    different, commands, start = 0, 0, time.monotonic()
    for number in range(rounds):
        place = folder / str(number)
        place.mkdir(parents=True)
        plan = place / "plan.yaml"
        plan.write_text(plan_text([2 * number, 2 * number + 1], 12, (0.0, 0.5, 1.0)))
        keys = [stage.key for stage in plan_stages(read_plan(plan))]
        store = Store.open(place / "store")
        with Machines(place, WORKERS) as machines:
            one = Round(machines, plan, store, keys, random.Random(seed + number))
            one.run()
        store.close()
        undisturbed(plan, place / "calm")
        different += bool(compare(place / "store", place / "calm")["different"])
        commands += one.commands
        for fault in one.times:
            times[fault] = times.get(fault, 0) + one.times[fault]
            lost[fault] = lost.get(fault, 0) + one.lost[fault]
        print(f"round {number}: {one.times}, {one.commands} commands, different: {different}", flush=True)
    return {
        "rounds": rounds,
        "stages": len(keys),
        "workers": WORKERS,
        "commands": commands,
        "different": different,
        "seconds": round(time.monotonic() - start, 1),
        "seeds": [seed + number for number in range(rounds)],
        "faults": {
            fault: {"times": times[fault], "lost": lost[fault]} for fault in dict.fromkeys([LATE, *FAULTS]) if fault in times
        },
    }


def together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The counts of two reports on the same plan."""
    if set(one["seeds"]) & set(other["seeds"]) or one["stages"] != other["stages"]:
        raise SystemExit("These rounds are counted already, or are of another plan.")
    faults: dict[str, dict[str, int]] = {}
    for fault, counts in [*one["faults"].items(), *other["faults"].items()]:
        faults[fault] = {name: count + faults.get(fault, {}).get(name, 0) for name, count in counts.items()}
    added = ("rounds", "commands", "different", "seconds", "seeds")
    return one | {name: one[name] + other[name] for name in added} | {"faults": faults}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None, help="an empty folder to work in, kept afterwards")
    parser.add_argument("--add", action="store_true", help="to what is counted already")
    options = parser.parse_args()
    if reason := why_not():
        raise SystemExit(f"No network namespaces can be made here: {reason}")
    with tempfile.TemporaryDirectory() as temporary:
        report = faults(options.folder or Path(temporary) / "faults", options.rounds, options.seed)
    if options.add:
        report = together(json.loads(RESULT.read_text()), report)
    print(json.dumps(report, indent=1))
    RESULT.write_text(json.dumps(report, indent=1) + "\n")
    if report["different"] or any(counts["lost"] for counts in report["faults"].values()):
        raise SystemExit("Something was lost, or is different.")
