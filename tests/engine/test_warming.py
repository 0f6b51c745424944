"""Workers are warmed one by one, only in a pause, and never for an engine that is gone."""

from __future__ import annotations

import threading
import time

from unlearn_core.engine import EngineView, WorkerView, warm_when_idle


class Pretended:
    """An engine that is busy for a while."""

    def __init__(self, busy: float, state: str = "ready") -> None:
        self.until, self.state = time.monotonic() + busy, state
        self.warmed: list[tuple[str, float]] = []

    def status(self) -> EngineView:
        running = int(time.monotonic() < self.until)
        workers = (WorkerView("one", 1, 1), WorkerView("two", 2, 1))
        return EngineView(self.state, "local", workers, "cpu", running, 0)  # type: ignore[arg-type]

    def warm(self, worker: str) -> None:
        self.warmed.append((worker, time.monotonic()))


def test_every_worker_is_warmed_after_the_work_is_done() -> None:
    engine = Pretended(busy=0.8)
    warm_when_idle(engine, idle=0.2)  # type: ignore[arg-type]
    assert [worker for worker, _ in engine.warmed] == ["one", "two"]
    assert engine.warmed[0][1] >= engine.until + 0.2 - 0.05


def test_an_engine_that_is_gone_is_left_alone() -> None:
    engine = Pretended(busy=60)
    thread = threading.Thread(target=warm_when_idle, args=(engine,), daemon=True)
    thread.start()
    engine.state = "off"
    thread.join(5)
    assert not thread.is_alive()
    assert engine.warmed == []
