"""Two programs on one store: what both want is computed once and both have it; what a killed one held is taken over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.dummy import Stage, until
from unlearn_core.engine import Engine, lease
from unlearn_core.store import Store

ROOT = Path(__file__).parents[2]
OTHER = """
import sys
sys.path.insert(0, sys.argv[3])
from tests.engine.dummy import RUNNER, Stage
from unlearn_core.engine import Engine
from unlearn_core.store import Store
engine = Engine(Store.open(sys.argv[1]), address="inline", runner=RUNNER)
stages = [Stage(f"both{k}", {"steps": 30, "pause": 0.03, "log": sys.argv[2]}) for k in range(2)]
job = engine.submit(stages, "the other's")
print("asked", flush=True)
print([stage.state for stage in engine.wait(job, 60).stages], flush=True)
"""


@pytest.fixture
def other(store: Store, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another program that computes two stages on the same store, slowly."""
    command = [sys.executable, "-c", OTHER, store.location, str(tmp_path / "log"), str(ROOT)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    until(lambda: store.leases.of(["both0"]))
    yield process
    process.kill()
    process.wait()


def wanted(tmp_path: Path) -> list[Stage]:
    return [Stage(f"both{k}", {"steps": 30, "pause": 0.03, "log": str(tmp_path / "log")}) for k in range(2)]


def computed(tmp_path: Path) -> list[str]:
    """The keys that either program began to compute."""
    return sorted((tmp_path / "log").read_text().split()[::2])


def test_what_two_programs_want_is_computed_once(
    engine: Engine, store: Store, other: subprocess.Popen[str], tmp_path: Path
) -> None:
    job = engine.submit(wanted(tmp_path), "mine")
    until(lambda: "another" in engine.view(job).stages[0].waits_for)
    assert [stage.state for stage in engine.wait(job, 30).stages] == ["done", "done"]
    assert other.communicate(timeout=30)[0].splitlines() == ["asked", "['done', 'done']"]
    assert computed(tmp_path) == ["both0", "both1"]
    # The one that finds a stage taken does the next one meanwhile.
    assert {store.get(key).payload["pid"] for key in ("both0", "both1")} == {other.pid, os.getpid()}
    assert not store.leases.of(["both0", "both1"])


def test_what_a_killed_program_held_is_computed_at_once(
    engine: Engine, store: Store, other: subprocess.Popen[str], tmp_path: Path
) -> None:
    first = wanted(tmp_path)[:1]
    job = engine.submit(first, "mine")
    until(lambda: "another" in engine.view(job).stages[0].waits_for)
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert engine.wait(job, 20).state == "done"  # long before the lease would expire
    assert store.get("both0").payload["pid"] == os.getpid()


def test_a_lease_from_another_machine_counts_while_it_beats(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 1.0)
    store.leases.take("far", "token", "another-machine 1 0.00")
    job = engine.submit([Stage("far")], "mine")
    for beat in range(1, 5):
        time.sleep(0.5)
        assert store.leases.beat("far", "token", beat)
    assert engine.view(job).state == "running"
    assert not store.has(["far"])
    assert engine.wait(job, 20).state == "done"  # the beat stands still


def test_what_waits_for_another_program_can_be_cancelled(engine: Engine, store: Store) -> None:
    store.leases.take("far", "token", "another-machine 1 0.00")
    job = engine.submit([Stage("far")], "mine")
    until(lambda: "another" in engine.view(job).stages[0].waits_for)
    engine.cancel(job)
    assert engine.wait(job, 2).state == "cancelled"
    assert set(store.leases.of(["far"])) == {"far"}  # which goes on
