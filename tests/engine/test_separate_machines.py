"""Scheduler and workers in network namespaces of their own, over TLS: late, slow, cut off, killed, and started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.measure.cluster_machines import Machines, why_not
from tests.engine.dummy import RUNNER, Stage, until
from unlearn_core.engine import Engine
from unlearn_core.engine.backends.certificate import CERTIFICATE, KEY
from unlearn_core.store import Store

pytestmark = pytest.mark.cluster


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    import dask
    import distributed  # noqa: F401 - its defaults must be there before, or they go with what is set here

    if reason := why_not():
        pytest.skip(f"no network namespaces here: {reason}")
    with Machines(tmp_path, workers=3) as made:
        files = {"ca-file": CERTIFICATE, "client.cert": CERTIFICATE, "client.key": KEY}
        with dask.config.set({f"distributed.comm.tls.{name}": str(tmp_path / file) for name, file in files.items()}):
            yield made


def test_what_happens_to_machines_loses_nothing(machines: Machines, store: Store) -> None:
    machines.start_scheduler()
    for number in (0, 1):
        machines.start_worker(number, warm=False)
    engine = Engine(store, address=machines.address, runner=RUNNER, device="cpu")
    try:
        until(lambda: _starts(engine))
        until(lambda: len(engine.status().workers) == 2)
        stages = [Stage(f"m{number}", {"steps": 8, "pause": 0.05}, title=f"m{number}") for number in range(40)]
        job = engine.submit(stages, "forty")
        until(lambda: engine.view(job).done >= 2)
        machines.start_worker(2, warm=False)  # one joins late
        until(lambda: len(engine.status().workers) == 3)
        until(lambda: all(worker.stage for worker in engine.status().workers))
        slow, cut, killed = (machines.processes[str(number)].pid for number in (0, 1, 2))
        machines.pause("0", on=True)
        machines.cut("1", on=True)
        before = engine.view(job).done
        until(lambda: engine.view(job).done >= before + 3)  # the third goes on
        machines.pause("0", on=False)
        machines.cut("1", on=False)
        until(lambda: all(worker.stage for worker in engine.status().workers))
        machines.kill("2")
        until(lambda: len(engine.status().workers) == 2)
        until(lambda: engine.view(job).done > before + 6)
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
        assert {slow, cut, killed} <= {record.payload["pid"] for record in store.find()}
    finally:
        engine.close()


def _starts(engine: Engine) -> bool:
    from unlearn_core.errors import UserError

    try:
        engine.start()
    except UserError:  # the scheduler is not there yet
        return False
    return True
