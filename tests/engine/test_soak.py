"""Short forms of ``python -m benchmarks run soak``: one round of each fault; then everything is there and the same."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.measure.soak.app import KillApp, compare_page
from benchmarks.measure.soak.clock import Clock
from benchmarks.measure.soak.command import NOTHING
from benchmarks.measure.soak.fault import Fault
from benchmarks.measure.soak.places import Database, FullDisk, Lock, SlowDisk
from benchmarks.measure.soak.processes import Kill
from benchmarks.measure.soak.round import Round
from benchmarks.measure.soak.work import Work, plan_text, sweep_of
from tests.engine.writes import KEYS, compute
from unlearn_core.store import Store

pytestmark = pytest.mark.cluster

QUICK = "dataset=blobs&training.epochs=4&amount=60&methods=finetune,rem,retrain&finetune.epochs=2&rem.epochs=2"


WRITES = Work(KEYS, lambda place: ("-m", "tests.engine.writes", place), lambda place: print(compute(str(place))))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Sockets have paths of at most 108 characters, and each worker of the suite adds a folder to pytest's own."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # a database server runs as another user
        yield Path(place)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the program that writes leaves where nothing disturbs it."""
    place = tmp_path_factory.mktemp("calm") / "store"
    WRITES.compute(place)
    return place


def go(fault: Fault, work: Work, folder: Path, strikes: int, most: int = 3, calm: Path | None = None) -> dict[str, Any]:
    """One round, after which nothing is lost, different or left over."""
    if reason := fault.why_not():
        pytest.skip(reason)
    if calm is None:
        work.compute(calm := folder / "calm")
    found = Round(fault, work, folder / "r", 1, strikes, most).run(calm)
    assert found["times"] >= 1, found
    assert found["records"] >= len(work.keys)
    assert {name: found[name] for name in NOTHING if found[name]} == {}
    assert found["tracebacks"] == 0
    return found


@pytest.mark.parametrize(
    ("fault", "strikes"),
    [
        (Database(longest=0.5), 1),
        (FullDisk(longest=1.0), 1),
        (SlowDisk(longest=1.5), 1),
        (Clock(), 2),
        (Lock(longest=1.0), 1),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_work_goes_on_where_its_store_or_its_clock_fails(fault: Fault, strikes: int, folder: Path, calm: Path) -> None:
    found = go(fault, WRITES, folder, strikes, calm=calm)
    assert found["again"] == 0 or fault.name == "disk"  # what does not fit is said, and is computed when it is asked for again


@pytest.mark.timeout(900)  # a quarter of a minute on an idle machine
def test_a_sweep_that_is_killed_and_resumed_equals_an_undisturbed_one(folder: Path) -> None:
    plan = folder / "plan.yaml"
    plan.write_text(plan_text([0], 4, (0.5,)))
    found = go(Kill("command", ""), sweep_of(plan), folder, strikes=1, most=1)
    assert found["again"] == found["times"] == 1


@pytest.mark.timeout(900)
def test_an_app_that_is_killed_while_it_computes_leaves_nothing_but_results(folder: Path) -> None:
    """Somebody presses Run; the server is killed, started again, and Run pressed again."""
    assert go(KillApp(), compare_page(QUICK), folder, strikes=1, most=1)["again"] == 1


def test_a_loss_would_be_seen(folder: Path, calm: Path) -> None:
    """A store that loses a record, and one with another number in it."""

    class Loses(Fault):
        name = "loses"

        def strike(self, program: Any, rng: Any) -> bool:
            store = Store.open(folder / "r" / "store")
            while not (there := store.has(KEYS)):
                program.wait(0.05)
            store.delete(min(there))
            return True

    shutil.copytree(calm, folder / "calm")
    other = Store.open(folder / "calm")
    other.delete(KEYS[0])
    other.put(KEYS[0], "run", {}, {}, {}, {"w": {"a": np.arange(60_000) + 1}})
    found = Round(Loses(), WRITES, folder / "r", 1, 1).run(folder / "calm")
    assert len(found["lost"]) >= 1
    assert KEYS[0] in found["different"]
