"""Faults with real worker processes: killed workers, a killed cluster, a killed parent, deaf stages."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import distributed
import psutil
import pytest

from tests.engine.dummy import RUNNER, Stage, until
from tests.engine.embedded import cluster_family, cluster_process, scratch_folder
from unlearn_core.engine import Engine
from unlearn_core.engine.backends import local_cluster
from unlearn_core.engine.backends.certificate import CERTIFICATE, KEY, write_certificate
from unlearn_core.errors import UserError
from unlearn_core.store import Store
from unlearn_core.support.scratch import make_scratch, sweep_scratch

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(tmp_path_factory.mktemp("cluster") / "store")


@pytest.fixture(scope="module")
def engine(store: Store) -> Iterator[Engine]:
    made = Engine(store, workers=2, runner=RUNNER, device="cpu")  # to say which, a worker would import torch
    made.start()
    yield made
    made.close()


def running_pid(engine: Engine, job: str, index: int = 0) -> int:
    """The process that computes a stage of the job, once it has started; the stage's title must be its own."""
    title = engine.view(job).stages[index].title
    until(lambda: any(worker.stage == title and worker.pid for worker in engine.status().workers))
    return next(worker.pid for worker in engine.status().workers if worker.stage == title)


@contextlib.contextmanager
def certified() -> Iterator[None]:
    """Dask finds the embedded cluster's certificate in its own configuration."""
    scratch = scratch_folder()
    files = {"ca-file": scratch / CERTIFICATE, "client.cert": scratch / CERTIFICATE, "client.key": scratch / KEY}
    with dask.config.set({f"distributed.comm.tls.{name}": str(path) for name, path in files.items()}):
        yield


def test_two_stages_on_two_workers(engine: Engine, store: Store) -> None:
    assert engine.status().state == "ready"
    assert len(engine.status().workers) == 2
    both = [Stage("left", {"steps": 10, "pause": 0.05}), Stage("right", {"steps": 10, "pause": 0.05})]
    job = engine.submit([*both, Stage("after", needs=("left", "right"))], "pair")
    view = engine.wait(job, 30)
    assert view.state == "done"
    pids = {store.get(key).payload["pid"] for key in ("left", "right")}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_where_it_computes_is_found_out_before_anything_runs(store: Store) -> None:
    left_to_it = Engine(store, workers=1, runner=RUNNER)
    try:
        left_to_it.start()
        assert left_to_it.status().device == "auto"
        left_to_it.find_device()
        until(lambda: left_to_it.status().device in ("cpu", "cuda"))
        assert left_to_it.status().running == 0
    finally:
        left_to_it.close()


def test_nothing_listens_beyond_this_machine(engine: Engine) -> None:
    listening = [c for p in cluster_family() for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


def pem(folder: Path) -> dict[str, str]:
    return {"cert": (folder / CERTIFICATE).read_text(), "key": (folder / KEY).read_text()}


def test_another_user_of_the_machine_cannot_run_code_in_it(engine: Engine, tmp_path: Path) -> None:
    write_certificate(str(tmp_path))  # one that looks just like the cluster's
    status = engine.status()
    other = 65534 if hasattr(os, "getuid") and os.getuid() == 0 else None  # "nobody", where the tests may become another user
    asked = {
        "become": other,
        "scheduler": status.address.partition("://")[2],
        "worker": status.workers[0].address.partition("://")[2],
        "pems": {"without": None, "of his own": pem(tmp_path), "the right one": pem(scratch_folder())},
    }
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("stranger.py")], input=json.dumps(asked), text=True, capture_output=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer.pop("user") == (os.getuid() if other is None else other)
    # The control: with the certificate in hand, the same calls run code on the scheduler and on a worker.
    assert answer == {"without": ["refused"] * 2, "of his own": ["refused"] * 2, "the right one": ["ran"] * 2}
    assert engine.status().state == "ready"


def test_what_lets_a_program_in_is_shown_to_none(engine: Engine) -> None:
    scratch = scratch_folder()
    assert stat.S_IMODE(scratch.stat().st_mode) == 0o700
    assert {stat.S_IMODE((scratch / name).stat().st_mode) for name in (CERTIFICATE, KEY)} == {0o600}
    status = engine.status()
    ports = [address.rpartition(":")[2] for address in (status.address, *(view.address for view in status.workers))]
    for process in cluster_family():
        shown = " ".join([*process.cmdline(), *process.environ().values()])
        assert not [port for port in ports if f":{port}" in shown]


def test_a_killed_worker_means_one_more_attempt(engine: Engine, store: Store) -> None:
    job = engine.submit([Stage("slow", {"steps": 40, "pause": 0.05}, title="Slow"), Stage("other")], "kill one")
    os.kill(running_pid(engine, job), signal.SIGKILL)
    until(lambda: engine.view(job).stages[0].attempt == 2)
    assert engine.view(job).stages[0].message == "worker lost, started again"
    view = engine.wait(job, 30)
    assert [stage.state for stage in view.stages] == ["done", "done"]
    until(lambda: len(engine.status().workers) == 2)


def test_a_stage_that_kills_every_worker_fails_alone(engine: Engine, store: Store) -> None:
    deadly = Stage("deadly", {"die": "always", "steps": 5, "pause": 0.05}, title="Deadly")
    job = engine.submit([deadly, Stage("needs-it", needs=("deadly",)), Stage("fine", {"steps": 5, "pause": 0.05})], "deadly")
    view = engine.wait(job, 40)
    assert [stage.state for stage in view.stages] == ["failed", "failed", "done"]
    assert view.stages[0].attempt == 2
    assert "ended twice" in view.stages[0].message
    assert "which failed" in view.stages[1].message
    until(lambda: store.failure("deadly"))
    assert "ended twice" in store.failure("deadly").message


def test_cancel_within_two_seconds_even_if_the_stage_is_deaf(engine: Engine) -> None:
    listening = Stage("listening", {"steps": 10_000, "pause": 0.02}, title="Listening")
    job = engine.submit([Stage("deaf", {"deaf": 600}, title="Deaf"), listening], "long")
    deaf_pid, listening_pid = running_pid(engine, job, 0), running_pid(engine, job, 1)
    start = time.monotonic()
    engine.cancel(job)
    assert engine.wait(job, 2).state == "cancelled"
    assert time.monotonic() - start < 2
    until(lambda: not psutil.pid_exists(deaf_pid), 5)
    assert psutil.pid_exists(listening_pid)
    assert engine.wait(engine.submit([Stage("next1"), Stage("next2")], "next"), 20).state == "done"


def test_the_same_path_for_a_scheduler_by_address(engine: Engine, store: Store) -> None:
    address = engine.status().address
    assert address.startswith("tls://127.0.0.1:")
    guest = Engine(store, address=address, runner=RUNNER, device="cpu")
    with pytest.raises(UserError, match="certificate"):
        guest.start()
    with certified():
        guest.start()
    try:
        view = guest.wait(guest.submit([Stage("guest"), Stage("guest-bad", {"fail": "x"})], "guest"), 20)
        assert [stage.state for stage in view.stages] == ["done", "failed"]
        job = guest.submit([Stage("guest-long", {"steps": 10_000, "pause": 0.02})], "guest")
        until(lambda: guest.status().running == 1)
        guest.cancel(job)
    finally:
        guest.close()
    assert engine.wait(engine.submit([Stage("host")], "host"), 20).state == "done"


def test_a_greeting_that_arrives_with_other_news_is_asked_for_again(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Dask's client asserts fails where another client's cancelling reaches it with the scheduler's greeting."""
    real, refused = distributed.Client._ensure_connected, []

    async def once_disturbed(client: Any, timeout: Any = None) -> None:
        if not refused:
            refused.append(client)
            raise AssertionError
        await real(client, timeout=timeout)

    monkeypatch.setattr(distributed.Client, "_ensure_connected", once_disturbed)
    guest = Engine(store, address=engine.status().address, runner=RUNNER, device="cpu")
    with certified():
        guest.start()
    try:
        assert refused
        assert guest.wait(guest.submit([Stage("after-all")], "guest"), 20).state == "done"
    finally:
        guest.close()


def test_a_killed_cluster_is_reported_and_replaced(engine: Engine) -> None:
    halted = Stage("halted", {"steps": 30, "pause": 0.05}, title="Halted")
    job = engine.submit([halted, Stage("behind", needs=("halted",))], "halted")
    running_pid(engine, job)
    cluster_process().kill()
    view = engine.wait(job, 10)
    assert view.state == "failed"
    assert "processes have ended" in view.stages[0].message
    assert engine.status().state == "lost"
    again = engine.wait(engine.retry(job), 60)
    assert again.state == "done"
    assert engine.status().state == "ready"


def test_ending_a_cluster_twice_closes_nothing_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **rest: start([sys.executable, "-c", "input()"], **rest))
    scratch: list[tuple[str, int]] = []
    monkeypatch.setattr(local_cluster, "make_scratch", lambda: scratch.append(make_scratch()) or scratch[0])
    server = local_cluster.ClusterProcess(1)
    server.close()
    # The next thing that is opened gets the number of what was closed: a socket, a database, another cluster's lock.
    other = os.open(os.devnull, os.O_RDONLY)
    taken = os.dup2(other, scratch[0][1])
    server.close()
    os.fstat(taken)
    for descriptor in {other, taken}:
        os.close(descriptor)


PARENT = """
import sys, time
sys.path.insert(0, sys.argv[2])
from tests.engine.dummy import RUNNER, Stage
from unlearn_core.engine import Engine
from unlearn_core.engine.backends import local_cluster
from unlearn_core.store import Store
local_cluster.PRELOAD = "tests.engine.dummy"
engine = Engine(Store.open(sys.argv[1]), workers=1, runner=RUNNER, device="cpu")
job = engine.submit([Stage("orphan", {"steps": 100000, "pause": 0.02})], "t")
while engine.status().running == 0 and engine.status().state != "lost":
    time.sleep(0.05)
print("running", flush=True)
time.sleep(600)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A temporary folder with a short name, as the system's has: sockets in it must have names that the system takes."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("how", ["Ctrl-C", "kill both"])
def test_nothing_outlives_the_parent(store: Store, place: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, store.location, root], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(place)},
    )  # fmt: skip
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"running\n"
        server, *_ = family = cluster_family(parent.pid)
        assert len(family) >= 3
        assert [path.name[:6] for path in place.iterdir()] == ["lethe-"]  # and nothing else: sockets and caches are in there
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        assert sweep_scratch() == 0  # it is in use
        if how == "Ctrl-C":
            parent.send_signal(signal.SIGINT)
            parent.wait(90)
    finally:
        if how == "kill both":
            with contextlib.suppress(psutil.Error):
                server.kill()
        parent.kill()
        parent.wait()
    until(lambda: not any(map(lives, family)))
    if how == "kill both":  # nothing was left to clear up: the next one does
        assert sweep_scratch() == 1
    until(lambda: not list(place.iterdir()))


def lives(process: psutil.Process) -> bool:
    """Whether it runs: one that has ended may stay in the table until its exit code is asked for."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
