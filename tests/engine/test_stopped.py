"""Workers that stand still (SIGSTOP): seen, replaced, and their stage computed once more."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from tests.engine.dummy import RUNNER, Stage, until
from unlearn_core.engine import Engine
from unlearn_core.engine.backends import stopped
from unlearn_core.store import Store


@pytest.fixture
def cluster(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """One worker, which is replaced where it stands still for two seconds."""
    monkeypatch.setattr(stopped, "STOPPED_SECONDS", 2.0)
    made = Engine(store, workers=1, runner=RUNNER, device="cpu")
    made.start()
    yield made
    made.close()


@pytest.mark.cluster
def test_a_worker_that_stands_still_is_replaced(cluster: Engine) -> None:
    job = cluster.submit([Stage("slow", {"steps": 40, "pause": 0.05}, title="Slow")], "stop one")
    until(lambda: any(worker.stage == "Slow" and worker.pid for worker in cluster.status().workers))
    (number,) = {worker.pid for worker in cluster.status().workers}
    os.kill(number, signal.SIGSTOP)
    until(lambda: cluster.view(job).stages[0].attempt == 2)
    assert not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    assert cluster.wait(job, 30).state == "done"
    until(lambda: len(cluster.status().workers) == 1)


def test_standing_still_is_counted_while_it_is_seen() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        seen = stopped.Stopped(5.0)
        assert seen.look([sleeper.pid], 100.0) == []
        sleeper.send_signal(signal.SIGSTOP)
        until(lambda: stopped.stands_still(sleeper.pid))
        assert seen.look([sleeper.pid], 3600.0) == []  # we may have been stopped with it
        assert seen.look([sleeper.pid], 3600.0) == [sleeper.pid]
        sleeper.send_signal(signal.SIGCONT)
        until(lambda: not stopped.stands_still(sleeper.pid))
        assert seen.look([sleeper.pid], 100.0) == []
        sleeper.kill()
