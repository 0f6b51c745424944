"""What ``test_separate_machines`` runs in a process of its own: forty stages, and machines to which everything happens.

python -m tests.engine.separate_machines FOLDER
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, cast

import dask

from benchmarks.measure.cluster_machines import Machines
from tests.engine.dummy import RUNNER, Stage, until
from unlearn_core.engine import Engine
from unlearn_core.engine.backends.certificate import CERTIFICATE, KEY
from unlearn_core.errors import UserError
from unlearn_core.store import Store

AWAY = 3.0
"""Seconds that machines stand still or are cut off. No worker can be asked to go on meanwhile: one that stands still may hold
the lock of the database."""


def main(folder: Path) -> None:
    store = Store.open(folder / "store")
    with Machines(folder, workers=3) as machines:
        machines.move_to("asking")
        files = {"ca-file": CERTIFICATE, "client.cert": CERTIFICATE, "client.key": KEY}
        with dask.config.set({f"distributed.comm.tls.{name}": str(folder / file) for name, file in files.items()}):
            nothing_is_lost(machines, store)


def nothing_is_lost(machines: Machines, store: Store) -> None:
    """One worker joins late, one is slow, one is cut off, one is killed, and then the scheduler."""
    machines.start_scheduler()
    for number in (0, 1):
        machines.start_worker(number, warm=False)
    engine = Engine(store, address=machines.address, runner=RUNNER, device="cpu")
    try:
        until(lambda: _starts(engine))
        until(lambda: len(engine.status().workers) == 2)
        stages = [Stage(f"m{number}", {"steps": 8, "pause": 0.05}, title=f"m{number}") for number in range(40)]
        job = engine.submit(cast(Any, stages), "forty")
        until(lambda: _done(engine, job) >= 2)
        machines.start_worker(2, warm=False)  # one joins late
        until(lambda: len(engine.status().workers) == 3)
        until(lambda: all(worker.stage for worker in engine.status().workers))
        slow, cut, killed = (machines.processes[str(number)].pid for number in (0, 1, 2))
        until(lambda: {slow, cut} <= _who(store))
        machines.pause("0", on=True)
        machines.cut("1", on=True)
        time.sleep(AWAY)
        before = _done(engine, job)
        machines.pause("0", on=False)
        machines.cut("1", on=False)
        until(lambda: all(worker.stage for worker in engine.status().workers))
        until(lambda: killed in _who(store))
        machines.kill("2")
        until(lambda: len(engine.status().workers) == 2)
        until(lambda: _done(engine, job) > before + 6)
        kept = store.has([stage.key for stage in stages])
        machines.kill("scheduler")
        view = engine.wait(job, 60)
        assert view.state == "failed"
        assert any("connection to the scheduler" in stage.message for stage in view.stages)
        machines.start_scheduler()
        for number in (0, 1):
            machines.start_worker(number, warm=False)
        until(lambda: _starts(engine))
        again = engine.wait(engine.retry(job), 90)
        assert again.state == "done"
        assert {stage.key for stage in again.stages if stage.state == "cached"} >= kept
        assert len(store.has([stage.key for stage in stages])) == 40
        assert {slow, cut, killed} <= _who(store)
    finally:
        engine.close()


def _done(engine: Engine, job: str) -> int:
    view = engine.view(job)
    assert view is not None
    return view.done


def _who(store: Store) -> set[int]:
    """The processes whose results are stored."""
    return {record.payload["pid"] for record in store.find()}


def _starts(engine: Engine) -> bool:
    try:
        engine.start()
    except UserError:  # the scheduler is not there yet
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]))
