"""Two programs on one store: what both want is computed once and both have it; what a killed one held is taken over."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import psutil
import pytest

from benchmarks.measure.soak.clock import HOUR, Clock, jump, jumping
from tests.engine.dummy import RUNNER, Stage, until
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
    with other_program(store, tmp_path) as process:
        yield process


@contextlib.contextmanager
def other_program(
    store: Store, folder: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[str]]:
    """Its process, once it holds the first stage."""
    command = [sys.executable, "-c", OTHER, store.location, str(folder / "log"), str(ROOT)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
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


def test_a_clock_that_jumps_takes_no_lease_from_its_holder(engine: Engine, store: Store, tmp_path: Path) -> None:
    """The other program's clock jumps by an hour, forwards and then back, while both want the same."""
    if reason := Clock().why_not():
        pytest.skip(reason)
    for hours in (1, -1):
        place = tmp_path / f"{hours}"
        place.mkdir()
        both = Store.open(place / "store")
        with other_program(both, place, jumping(place)) as other:
            jump(place, hours * HOUR)
            ours = Engine(both, address="inline", runner=RUNNER)
            assert ours.wait(ours.submit(wanted(place), "mine"), 30).state == "done"
            assert other.communicate(timeout=30)[0].splitlines() == ["asked", "['done', 'done']"]
            ours.close()
        assert computed(place) == ["both0", "both1"]
        assert not both.leases.of(["both0", "both1"])


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="elsewhere nothing but the time of day tells")
def test_a_process_is_known_again_after_the_clock_was_set(
    store: Store, other: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """psutil reckons when a process began from the clock: an hour later where that was set, for a program that starts then."""
    began = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: began(process) + 3600)
    (held,) = store.leases.of(["both0"]).values()
    assert not lease.has_ended(held)
    other.kill()
    other.wait()
    assert lease.has_ended(held)


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
