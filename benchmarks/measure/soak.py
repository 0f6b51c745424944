"""Kill a running sweep again and again, resume it each time, and compare what it leaves with an undisturbed one.

    nice -n 5 python -m benchmarks run soak [--kills 51] [--seed 0] [--folder FOLDER]

At random moments (seeded) ``kill -9`` hits a worker, the process with the scheduler, or the command itself; the same command
is then given again until it has computed everything, and goes on with the next plan until there were enough kills. After
every kill what was stored is still stored, and no process outlives the command. At the end every array has its checksum,
nothing lies about, and all equals the same plans computed without a kill. Writes ``benchmarks/results/soak.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.paths import RESULTS, ROOT
from unlearn_core.cli.sweep import plan_stages, read_plan
from unlearn_core.engine import Engine
from unlearn_core.store import Store
from unlearn_core.store.artifacts import GRACE

TARGETS = ("worker", "scheduler", "command")
METHODS = ("finetune", "retrain", "rem", "salun")
VANISH_SECONDS = 20.0
TIMINGS = "seconds"
"""Values with this in their name depend on the clock."""


@dataclass(frozen=True)
class Kill:
    """One planned kill: what is hit, after how many more results, and so many seconds later; or while the command starts."""

    target: str
    results: int
    delay: float
    early: bool


@dataclass
class Log:
    """What happened. ``stored``: records at each kill; ``lost``: keys that were stored and are not (there must be none)."""

    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TARGETS, 0))
    stored: list[int] = field(default_factory=list)
    commands: int = 0
    plans: int = 0
    lost: list[str] = field(default_factory=list)
    survivors: int = 0
    seconds: float = 0.0


def planned(count: int, seed: int, most: int) -> list[Kill]:
    """Kills in a random order, each kind about equally often; one in five comes while the command starts."""
    rng = random.Random(seed)
    targets = [TARGETS[number % len(TARGETS)] for number in range(count)]
    rng.shuffle(targets)
    return [Kill(target, rng.randint(0, most), rng.uniform(0.0, 1.0), rng.random() < 0.2) for target in targets]


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


class Sweep:
    """The command ``sweep`` on one plan, and everything that it starts."""

    def __init__(self, plan: Path, store: Path, scratch: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "unlearn_core", "sweep", str(plan), "--store", str(store), "--workers", "2"],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(scratch), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    def family(self) -> list[psutil.Process]:
        """Every process below the command that is alive now."""
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
        """The target once it is there; None if the command ends before."""
        deadline = time.monotonic() + seconds
        while not self.over and time.monotonic() < deadline:
            if (found := self.target(kind)) is not None:
                return found
            time.sleep(0.02)
        return None


def follow(sweep: Sweep, store: Store, keys: list[str], kills: Iterator[Kill], log: Log) -> int:
    """Watch one command until it ends, with kills while there are any left; returns its exit code."""
    known, family = store.has(keys), list[psutil.Process]()
    while not sweep.over and (kill := next(kills, None)) is not None:
        if not kill.early:
            wanted = len(store.has(keys)) + kill.results
            while not sweep.over and len(store.has(keys)) < wanted:
                time.sleep(0.05)
        with contextlib.suppress(subprocess.TimeoutExpired):
            sweep.process.wait(kill.delay)
        family = sweep.family() or family
        known = store.has(keys)
        if (hit := sweep.wait_for(kill.target)) is None:
            break  # it was done before: this kill does not count
        with contextlib.suppress(psutil.NoSuchProcess):
            hit.send_signal(signal.SIGKILL)
            log.kills[kill.target] += 1
            log.stored.append(len(known))
        if kill.target != "worker":
            break
        log.lost += sorted(known - store.has(keys))
    code = sweep.process.wait(3600)
    log.survivors += survivors(family)
    log.lost += sorted(known - store.has(keys))
    return code


def disturb(plan: Path, folder: Path, store: Store, keys: list[str], kills: Iterator[Kill], log: Log) -> None:
    """Give the command until it has computed all of ``plan``, with kills while there are any left; ``keys``: of all plans."""
    for _ in range(1000):
        sweep = Sweep(plan, Path(store.location), folder / "scratch")
        log.commands += 1
        try:
            if follow(sweep, store, keys, kills, log) == 0:
                return
        finally:
            if not sweep.over:
                sweep.process.kill()
    raise SystemExit("A thousand attempts were not enough.")


def survivors(family: list[psutil.Process]) -> int:
    """How many of these processes are still there some seconds after the command ended."""
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


def soak(
    folder: Path,
    kills: int,
    seed: int,
    *,
    seeds_a_plan: int = 2,
    epochs: int = 12,
    most: int = 4,
    regularity: tuple[float, ...] = (0.0, 0.5, 1.0),
) -> dict[str, Any]:
    """Disturb one plan after the other until there were enough kills, then compare: what happened, and what is left.

    ``most``: results that are computed between two kills at most.
    """
    log, start = Log(), time.monotonic()
    (folder / "scratch").mkdir(parents=True)
    store = Store.open(folder / "store")
    plans: list[Path] = []
    keys: list[str] = []
    while sum(log.kills.values()) < kills:
        # Kills that came too late are planned anew, with other moments.
        queue = planned(kills, seed + len(plans), most)[sum(log.kills.values()) :]
        plan = folder / f"plan{len(plans)}.yaml"
        plan.write_text(plan_text([*range(len(plans) * seeds_a_plan, (len(plans) + 1) * seeds_a_plan)], epochs, regularity))
        plans.append(plan)
        keys += [stage.key for stage in plan_stages(read_plan(plan))]
        disturb(plan, folder, store, keys, iter(queue), log)
        print(f"{sum(log.kills.values())} kills, {len(store.has(keys))} records, {log.commands} commands", flush=True)
    store.close()
    log.plans, log.seconds = len(plans), time.monotonic() - start
    for plan in plans:
        undisturbed(plan, folder / "calm")
    return asdict(log) | {"seed": seed} | compare(folder) | leftovers(folder)


def undisturbed(plan: Path, place: Path) -> None:
    """Compute a plan in this process."""
    store = Store.open(place)
    engine = Engine(store, address="inline")
    view = engine.wait(engine.submit(plan_stages(read_plan(plan)), plan.name))
    engine.close()
    store.close()
    if view.state != "done":
        raise SystemExit("The undisturbed sweep failed.")


def compare(folder: Path) -> dict[str, Any]:
    """Every record of both stores, arrays with their checksums: how many there are, and which differ."""
    disturbed, calm = contents(folder / "store"), contents(folder / "calm")
    keys = sorted(set(disturbed) | set(calm))
    return {"records": len(disturbed), "different": [key for key in keys if not same(disturbed.get(key), calm.get(key))]}


def contents(place: Path) -> dict[str, tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]]:
    """Key → (metrics without timings, arrays); raises ``MissingArtifact`` where a file is not what was recorded."""
    store = Store.open(place)
    found = {}
    for record in store.find():
        metrics = {name: value for name, value in record.payload.get("metrics", {}).items() if TIMINGS not in name}
        found[record.key] = metrics, {name: store.arrays(record.key, name) for name in record.arrays}
    store.close()
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two records have the same metrics and the same bits in every array."""
    if one is None or other is None or one[0] != other[0] or set(one[1]) != set(other[1]):
        return False
    return all(
        set(group) == set(other[1][name]) and all(group[part].tobytes() == other[1][name][part].tobytes() for part in group)
        for name, group in one[1].items()
    )


def leftovers(folder: Path) -> dict[str, Any]:
    """What is left besides results. ``files_swept``: files of killed writers, which a store removes once they are old."""
    root = folder / "store" / "artifacts"
    old = time.time() - 2 * GRACE
    for file in root.glob("??/*"):
        os.utime(file, (old, old))
    store = Store.open(folder / "store", sweep=False)
    rows, files = store.sweep()
    records = store.find()
    wanted = sum(len(record.arrays) for record in records)
    failures = sum(store.failure(record.key) is not None for record in records)
    store.close()
    return {
        "rows_dropped": rows,
        "files_swept": files,
        "files_left_over": len(list(root.glob("??/*"))) - wanted,
        "failures_left_over": failures,
        "scratch_left_over": len(list((folder / "scratch").iterdir())),  # the temporary folder of every command
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=51)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None, help="an empty folder to work in, kept afterwards")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        report = soak(options.folder or Path(temporary) / "soak", options.kills, options.seed)
    print(json.dumps(report, indent=2))
    (RESULTS / "soak.json").write_text(json.dumps(report, indent=2) + "\n")
    nothing = ("lost", "different", "survivors", "files_left_over", "rows_dropped", "scratch_left_over")
    if any(report[name] for name in nothing):
        raise SystemExit("Something was lost, is different, or was left over.")
