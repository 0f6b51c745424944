"""The engine with stages in a thread: jobs, sharing, failures, cancelling."""

from __future__ import annotations

import pickle
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.dummy import RUNNER, Stage, until
from unlearn_core.cli.follow import news
from unlearn_core.engine import Engine, JobView, worker
from unlearn_core.engine.backends import protocol as work
from unlearn_core.engine.backends.protocol import Request
from unlearn_core.engine.status import RECENT_SECONDS, rate_per_minute
from unlearn_core.errors import StoreAway, UserError
from unlearn_core.store import Store, database, waiting


def states(view: JobView | None) -> list[str]:
    assert view is not None
    return [stage.state for stage in view.stages]


def test_stages_run_in_order_and_are_stored(engine: Engine, store: Store) -> None:
    job = engine.submit([Stage("a", {"steps": 3}), Stage("b", needs=("a",), payload={"method": {"params": {"x": 1}}})], "two")
    view = engine.wait(job, 20)
    assert (view.state, states(view), view.done, view.total, view.eta) == ("done", ["done", "done"], 2, 2, None)
    assert view.stages[0].scalars["loss"] == 0.0
    assert view.stages[1].params == {"x": 1}
    assert store.has(["a", "b"]) == {"a", "b"}


@pytest.mark.parametrize(("asked", "said"), [("auto", {"cpu", "cuda"}), ("cpu", {"cpu"}), ("cuda", {"cuda"})])
def test_the_device_is_the_one_that_was_asked_for_or_found(store: Store, asked: str, said: set[str]) -> None:
    import torch  # noqa: F401 - the inline engine does not import it to say where it would compute

    made = Engine(store, address="inline", runner=RUNNER, device=asked)
    assert made.status().device == asked
    made.wait(made.submit([Stage("where")], "where"), 20)
    made.find_device()
    assert made.status().device in said
    made.close()


def test_what_is_stored_is_not_run(engine: Engine, store: Store, tmp_path: Path) -> None:
    store.put("a", "run", {}, {}, {})
    log = tmp_path / "log"
    job = engine.submit([Stage("a", {"log": str(log)})], "cached")
    view = engine.view(job)
    assert view is not None
    assert (view.state, states(view)) == ("done", ["cached"])
    assert engine.status().state == "off"
    assert not log.exists()


def test_the_same_question_gets_the_same_job(engine: Engine) -> None:
    stages = [Stage("a", {"steps": 50, "pause": 0.02}), Stage("b", needs=("a",))]
    first = engine.submit(stages, "one")
    assert engine.submit(stages, "again") == first
    other = engine.submit([*stages, Stage("c")], "more")
    assert other != first
    assert [view.id for view in engine.jobs()] == [other, first]
    engine.cancel(first)
    assert states(engine.view(first)) == ["cancelled", "cancelled"]
    view = engine.wait(other, 20)
    assert states(view) == ["done", "done", "done"]
    assert engine.submit(stages, "later") not in (first, other)


def test_a_failure_is_local_and_says_why(engine: Engine, store: Store) -> None:
    stages = [
        Stage("good"),
        Stage("bad", {"fail": "no such thing"}, title="Bad one"),
        Stage("after", needs=("bad",)),
        Stage("later", needs=("after",)),
        Stage("user", {"fail": "Choose another class.", "user": True}),
        Stage("empty", {"nothing": True}),
    ]
    view = engine.wait(engine.submit(stages, "mixed"), 20)
    assert view.state == "failed"
    messages = {stage.key: stage.message for stage in view.stages}
    assert states(view) == ["done", "failed", "failed", "failed", "failed", "failed"]
    assert messages["bad"] == "RuntimeError: no such thing"
    assert "“Bad one”, which failed" in messages["after"]
    assert "which failed" in messages["later"]
    assert messages["user"] == "Choose another class."
    assert "without a result" in messages["empty"]
    failure = store.failure("bad")
    assert failure is not None
    assert "Traceback" in failure.detail
    assert "run_stage" in failure.detail


def test_retry_does_what_is_missing(engine: Engine, store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    stages = [Stage("a", {"log": str(log)}), Stage("b", {"fail": "x", "log": str(log)}), Stage("c", needs=("b",))]
    job = engine.submit(stages, "first")
    engine.wait(job, 20)
    again = engine.wait(engine.retry(job), 20)
    assert states(again) == ["cached", "failed", "failed"]
    assert log.read_text().split()[::2] == ["a", "b", "b"]
    store.put("b", "run", {}, {}, {})
    assert states(engine.wait(engine.retry(job), 20)) == ["cached", "cached", "done"]
    with pytest.raises(UserError, match="no job"):
        engine.retry("nonsense")


def test_cancel_stops_within_a_batch_and_keeps_what_is_finished(engine: Engine, store: Store) -> None:
    job = engine.submit([Stage("a"), Stage("b", {"steps": 10_000, "pause": 0.01}), Stage("c")], "long")
    until(lambda: states(engine.view(job))[1] == "running")
    start = time.monotonic()
    engine.cancel(job)
    assert states(engine.wait(job, 1)) == ["done", "cancelled", "cancelled"]
    done = engine.wait(engine.submit([Stage("d")], "next"), 5)
    assert done.state == "done"
    assert time.monotonic() - start < 2
    assert store.has(["a", "b", "c"]) == {"a"}
    engine.cancel("nonsense")


def test_a_sweep_finishes_scenario_after_scenario_and_a_click_goes_first(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "log"
    what = {"log": str(log), "pause": 0.05}
    stages = [Stage(f"{kind}{n}", what, needs=(f"a{n}",) if kind == "b" else ()) for n in range(4) for kind in "ab"]
    sweep = engine.submit(stages, "sweep")
    until(lambda: log.exists())
    engine.wait(engine.submit([Stage("click", what)], "click"), 20)
    engine.wait(sweep, 20)
    order = log.read_text().split()[::2]
    assert order.index("click") <= 2
    assert [key for key in order if key != "click"] == [stage.key for stage in stages]


def test_progress_is_counted_throttled_and_estimated(engine: Engine) -> None:
    job = engine.submit([Stage("a", {"steps": 100, "pause": 0.01})], "steady")
    seen = []
    until(lambda: engine.view(job).stages[0].done >= 20)
    while (view := engine.view(job)).state == "running":
        stage = view.stages[0]
        assert stage.total == 100
        seen.append((stage.done, stage.elapsed, stage.eta))
        time.sleep(0.02)
    whole = engine.view(job).stages[0].elapsed
    assert 2 <= len({done for done, _, _ in seen}) <= 12
    _, elapsed, eta = seen[0]
    assert eta == pytest.approx(whole - elapsed, rel=0.5, abs=0.3)


def test_sessions_may_poll_and_submit_from_many_threads(engine: Engine) -> None:
    errors: list[BaseException] = []

    def session(number: int) -> None:
        try:
            for round_ in range(5):
                job = engine.submit([Stage("shared"), Stage(f"{number}-{round_}", needs=("shared",))], "t")
                engine.view(job)
                engine.jobs()
                engine.status()
                assert engine.wait(job, 20).state == "done"
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)

    threads = [threading.Thread(target=session, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_closing_cancels_and_a_new_submission_starts_again(engine: Engine) -> None:
    job = engine.submit([Stage("a", {"steps": 10_000, "pause": 0.01})], "long")
    until(lambda: engine.status().running == 1)
    engine.close()
    assert engine.view(job).state == "cancelled"
    assert engine.status().state == "off"
    assert engine.wait(engine.submit([Stage("b")], "next"), 5).state == "done"


@pytest.mark.parametrize("bad", [{"address": "nonsense"}, {"address": ""}, {"workers": 0}])
def test_bad_engines_are_refused(store: Store, bad: dict[str, object]) -> None:
    with pytest.raises(UserError):
        Engine(store, **bad)


def test_a_scheduler_that_is_not_there_fails_the_job_with_a_sentence(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearn_core.engine.backends.dask.CONNECT_SECONDS", 0.5)
    engine = Engine(store, address="tcp://127.0.0.1:9", runner=RUNNER)
    view = engine.wait(engine.submit([Stage("a")], "x"), 30)
    assert view.state == "failed"
    assert "no Dask scheduler at tcp://127.0.0.1:9" in view.stages[0].message
    assert engine.status().state == "lost"
    with pytest.raises(UserError, match="no Dask scheduler"):
        engine.start()


def test_importing_the_engine_costs_neither_dask_nor_torch() -> None:
    code = "import sys, unlearn_core.engine; assert not {'torch', 'dask', 'distributed'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_scheduler_reads_requests_without_importing_torch() -> None:
    request = Request("token", work.Stage("run", "key", "Title", {"scenario": {}}), "/store", "id", "cpu", "module:function")
    code = f"""
import pickle, sys
import unlearn_core.engine.backends.dask_task
assert pickle.loads(bytes.fromhex({pickle.dumps(request).hex()!r})).stage.title == "Title"
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_rate_counts_what_was_finished_lately(engine: Engine) -> None:
    assert engine.status().per_minute is None
    engine.wait(engine.submit([Stage("a"), Stage("b"), Stage("c")], "three"), 20)
    assert engine.status().per_minute == pytest.approx(18)  # three stages; the window is never shorter than ten seconds
    assert rate_per_minute([0.0, 30.0, 59.0], 60.0) == pytest.approx(3)
    assert rate_per_minute([0.0], RECENT_SECONDS + 1) is None


@pytest.fixture
def locked(store: Store) -> Iterator[sqlite3.Connection]:
    """Another program holds the store's write lock; committing lets go of it."""
    other = sqlite3.connect(Path(store.location) / "lethe.sqlite", check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def test_a_stage_waits_longer_for_its_store_than_a_person_does(
    engine: Engine, store: Store, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    with pytest.raises(StoreAway):
        store.fail("other", "run", "It broke.")
    job = engine.submit([Stage("a")], "patient")
    time.sleep(1.0)
    assert states(engine.view(job)) == ["running"]
    locked.execute("COMMIT")
    assert states(engine.wait(job, 20)) == ["done"]


def test_a_store_that_stays_locked_is_said_and_no_failure_of_the_stage(
    engine: Engine, store: Store, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STORE_SECONDS", 0.3)
    view = engine.wait(engine.submit([Stage("a")], "in vain"), 20)
    assert "another program keeps it locked" in view.stages[0].message
    locked.execute("COMMIT")
    assert store.failure("a") is None
    assert states(engine.wait(engine.submit([Stage("a")], "again"), 20)) == ["done"]


def test_a_stage_that_waits_for_its_store_says_so_until_it_goes_on(
    engine: Engine, store: Store, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "TOLD_AFTER", 0.2)
    job = engine.submit([Stage("a"), Stage("b", needs=("a",))], "held up")
    until(lambda: "another program keeps it locked" in engine.view(job).stages[0].message)
    assert states(engine.view(job)) == ["running", "waiting"]
    assert news(engine.view(job), set(), details=False) == [f"… Dummy: {engine.view(job).stages[0].message}"]
    locked.execute("COMMIT")
    view = engine.wait(job, 20)
    assert states(view) == ["done", "done"]
    assert [stage.message for stage in view.stages] == ["", ""]


def test_nobody_is_told_of_a_short_wait(engine: Engine, store: Store, locked: sqlite3.Connection) -> None:
    job = engine.submit([Stage("a")], "a moment")
    time.sleep(0.5)
    assert engine.view(job).stages[0].message == ""
    locked.execute("COMMIT")
    assert states(engine.wait(job, 20)) == ["done"]
