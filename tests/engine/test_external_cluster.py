"""A scheduler and workers that others started: same results, workers that come and go, GPU slots, one store."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.engine.dummy import RUNNER, Stage, until
from tests.engine.outside import ROOT, Outside, loaded_data
from unlearn_core.cli.sweep import plan_stages, read_plan
from unlearn_core.engine import Engine
from unlearn_core.store import Store

pytestmark = pytest.mark.cluster
Join = Callable[..., subprocess.Popen[bytes]]

PLAN = """
dataset: blobs
regularity: [0.0, 1.0]
discovery: [0.3, 0.6]
methods: [finetune, retrain]
seeds: [0]
amount: [60]
set: {training.epochs: 3, finetune.epochs: 2}
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """A scheduler with two workers that were started one by one."""
    made = Outside(tmp_path_factory.mktemp("outside"))
    try:
        made.scheduler()
        for name in ("first", "second"):
            made.worker("--name", name, warm=True)
        yield made
    finally:
        made.end()


@pytest.fixture
def engine(outside: Outside, store: Store) -> Iterator[Engine]:
    made = Engine(store, address=outside.address, runner=RUNNER, device="cpu")  # to say which, a worker would import torch
    made.start()
    until(lambda: len(made.status().workers) >= 2)
    yield made
    made.close()


@pytest.fixture
def join(outside: Outside) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start one more worker, which goes at the end of the test."""
    guests: list[subprocess.Popen[bytes]] = []

    def started(*options: str, **how: Any) -> subprocess.Popen[bytes]:
        guests.append(outside.worker(*options, **how))
        return guests[-1]

    yield started
    outside.end(guests)


def sweep(plan: Path, store: Path, engine: str) -> dict[str, object]:
    command = [sys.executable, "-m", "unlearn_core", "sweep", str(plan), "--engine", engine, "--store", str(store), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def results(place: Path) -> dict[str, tuple[dict[str, object], dict[str, dict[str, np.ndarray]]]]:
    """What was computed, without what depends on the clock: key → (metrics, arrays)."""
    store = Store.open(place)
    found = {}
    for record in store.find():
        metrics = {name: value for name, value in record.payload.get("metrics", {}).items() if "seconds" not in name}
        found[record.key] = metrics, {name: store.arrays(record.key, name) for name in record.arrays}
    store.close()
    return found


def test_a_sweep_gives_the_same_results_as_here(outside: Outside, tmp_path: Path) -> None:
    import distributed

    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN)
    summary = sweep(plan, tmp_path / "there", outside.address)
    assert (summary["runs"], summary["computed"]) == (8, 8)
    here = Engine(Store.open(tmp_path / "here"), address="inline")
    assert here.wait(here.submit(plan_stages(read_plan(plan)), "here"), 120).state == "done"
    here.close()
    there, expected = results(tmp_path / "there"), results(tmp_path / "here")
    assert set(there) == set(expected)
    for key, (metrics, arrays) in expected.items():
        assert there[key][0] == metrics
        for name, group in arrays.items():
            for part, values in group.items():
                np.testing.assert_array_equal(there[key][1][name][part], values)

    with distributed.Client(outside.address, set_as_default=False) as client:
        loaded = client.run(loaded_data)
    # Two kinds of corrupted data for ten stages: each is built once in a worker, and both workers took part.
    assert all(1 <= misses <= 2 for _, misses in loaded.values()), loaded
    assert sum(hits + misses for hits, misses in loaded.values()) >= 10


def test_a_worker_that_joins_late_gets_work(join: Join, engine: Engine, store: Store) -> None:
    job = engine.submit([Stage(f"late{k}", {"steps": 4, "pause": 0.05}) for k in range(200)], "many")
    late = join("--name", "late")
    until(lambda: any(record.payload["pid"] == late.pid for record in store.find()))
    until(lambda: late.pid in {worker.pid for worker in engine.status().workers})
    engine.cancel(job)


@pytest.mark.parametrize("how", ["leaves", "is killed"])
def test_a_worker_that_goes_loses_nothing(join: Join, engine: Engine, store: Store, how: str) -> None:
    before = len(engine.status().workers)
    guest = join("--name", f"guest-{how}", nanny=how == "leaves")  # a nanny lets its worker leave in good order
    until(lambda: len(engine.status().workers) > before)
    work = [Stage(f"{how}{k}", {"steps": 60, "pause": 0.05}, title=f"{how} {k}") for k in range(3)]
    job = engine.submit(work, how)
    family = {guest.pid, *(child.pid for child in psutil.Process(guest.pid).children(recursive=True))}
    until(lambda: any(worker.pid in family and worker.stage for worker in engine.status().workers))
    started = next(worker.stage for worker in engine.status().workers if worker.pid in family)
    guest.send_signal(signal.SIGTERM if how == "leaves" else signal.SIGKILL)
    view = engine.wait(job, 60)
    assert [stage.state for stage in view.stages] == ["done"] * 3
    moved = next(stage for stage in view.stages if stage.title == started)
    assert moved.attempt == (1 if how == "leaves" else 2)  # leaving in good order is no failed attempt
    assert moved.message == ("its worker left, started on another" if how == "leaves" else "worker lost, started again")
    assert store.has([stage.key for stage in work]) == {stage.key for stage in work}


def test_stages_for_a_gpu_wait_for_a_worker_that_has_one(outside: Outside, join: Join, store: Store) -> None:
    asking = Engine(store, address=outside.address, runner=RUNNER, device="cuda")
    try:
        job = asking.submit([Stage(f"gpu{k}", {"steps": 6, "pause": 0.05}) for k in range(5)], "gpu")
        until(lambda: "No worker offers a GPU" in asking.status().message)
        assert asking.status().running == 0
        # Four slots in one process: it computes one stage at a time all the same (random numbers belong to a process).
        gpu = join("--name", "gpu", "--nthreads", "4", "--resources", "GPU=4")
        assert asking.wait(job, 60).state == "done"
        spans = sorted(store.get(f"gpu{k}").payload["span"] for k in range(5))
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
        assert {store.get(f"gpu{k}").payload["pid"] for k in range(5)} == {gpu.pid}
        assert "--nthreads 1" in asking.status().message
        # Those who name no device get the slots that there are; those who ask for the processor get any worker.
        auto = Engine(store, address=outside.address, runner=RUNNER)
        auto.wait(auto.submit([Stage(f"auto{k}") for k in range(6)], "auto"), 30)
        auto.close()
        assert {store.get(f"auto{k}").payload["pid"] for k in range(6)} == {gpu.pid}
        host = Engine(store, address=outside.address, runner=RUNNER, device="cpu")
        host.wait(host.submit([Stage(f"cpu{k}", {"steps": 4, "pause": 0.05}) for k in range(9)], "cpu"), 30)
        host.close()
        assert len({store.get(f"cpu{k}").payload["pid"] for k in range(9)}) >= 2
    finally:
        asking.close()


def test_several_processes_share_one_card(outside: Outside, join: Join, store: Store) -> None:
    join("--name", "card", "--nworkers", "2", "--resources", "GPU=1", nanny=True)
    asking = Engine(store, address=outside.address, runner=RUNNER, device="cuda")
    try:
        asking.start()
        until(lambda: len(asking.status().workers) >= 4)
        asking.wait(asking.submit([Stage(f"share{k}", {"steps": 10, "pause": 0.05}) for k in range(4)], "shared"), 60)
    finally:
        asking.close()
    found = [store.get(f"share{k}").payload for k in range(4)]
    spans = sorted(payload["span"] for payload in found)
    assert len({payload["pid"] for payload in found}) == 2
    assert any(after[0] < before[1] for before, after in itertools.pairwise(spans))  # two at a time


def test_a_worker_that_does_not_see_the_store_says_so(outside: Outside, engine: Engine, store: Store, tmp_path: Path) -> None:
    there = store.location
    Store.open(tmp_path / "another").close()
    for place in (tmp_path / "nowhere", tmp_path / "another"):
        store.location = str(place)
        view = engine.wait(engine.submit([Stage(f"astray-{place.name}")], "astray"), 30)
        assert view.state == "failed"
        assert "does not see the store" in view.stages[0].message
    assert not (tmp_path / "nowhere").exists()  # nothing is made on a machine that is not meant
    store.location = there
    assert engine.wait(engine.submit([Stage("home")], "home"), 30).state == "done"


ASKING = """
import sys, time
sys.path.insert(0, sys.argv[3])
from tests.engine.dummy import RUNNER, Stage
from unlearn_core.engine import Engine
from unlearn_core.store import Store
engine = Engine(Store.open(sys.argv[1]), address=sys.argv[2], runner=RUNNER)
engine.submit([Stage(f"left{k}", {"steps": 100000, "pause": 0.02}) for k in range(5)], "t")
while engine.status().running < 2:
    time.sleep(0.05)
print("running", flush=True)
time.sleep(600)
"""


def test_the_stages_of_a_killed_client_make_room(outside: Outside, engine: Engine, store: Store) -> None:
    arguments = [sys.executable, "-c", ASKING, store.location, outside.address, str(ROOT)]
    client = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    try:
        assert client.stdout is not None
        assert client.stdout.readline().strip() == b"running"
        job = engine.submit([Stage("mine")], "mine")
        assert engine.wait(job, 0.5).state == "running"  # both workers are busy for a long time
    finally:
        client.kill()
        client.wait()
    assert engine.wait(job, 15).state == "done"


def test_a_scheduler_that_is_started_again_goes_on(store: Store, tmp_path: Path) -> None:
    cluster = Outside(tmp_path)
    try:
        scheduler, worker = cluster.scheduler(), cluster.worker()
        engine = Engine(store, address=cluster.address, runner=RUNNER, device="cpu")
        job = engine.submit([Stage(f"again{k}", {"steps": 8, "pause": 0.05}) for k in range(8)], "again")
        until(lambda: store.has([f"again{k}" for k in range(8)]))
        os.kill(scheduler.pid, signal.SIGKILL)
        view = engine.wait(job, 20)
        assert view.state == "failed"
        assert "connection to the scheduler" in next(s.message for s in view.stages if s.state == "failed")
        scheduler.wait()
        # It ends what it computes; a worker without a scheduler ends, and the one that is started again needs new ones.
        worker.wait(60)
        kept = store.has([f"again{k}" for k in range(8)])
        assert kept
        cluster.scheduler()
        cluster.worker()
        again = engine.wait(engine.retry(job), 60)
        assert again.state == "done"
        assert {stage.key for stage in again.stages if stage.state == "cached"} == kept
        engine.close()
    finally:
        cluster.end()
