"""Estimates and states, from counted work and a clock that the test holds."""

from __future__ import annotations

import pytest

from tests.engine.dummy import Stage
from unlearn_core.engine.jobs import Job, Task, estimate, seconds_per_weight


def task(key: str, state: str = "waiting", *, needs: tuple[str, ...] = (), weight: float = 1.0, **fields: object) -> Task:
    return Task(Stage(key, needs=needs, weight=weight), state=state, **fields)


def test_nothing_is_estimated_before_anything_was_counted() -> None:
    tasks = [task("a", "running", started=0.0), task("b")]
    assert seconds_per_weight(tasks, 50.0) is None
    assert estimate(tasks, 50.0, None, 2) is None


def test_a_running_stage_is_estimated_from_its_own_steps() -> None:
    running = task("a", "running", started=0.0)
    running.progress(10.0, 1, 101, {})
    assert running.remaining(now=10.0, rate=None) is None
    running.progress(20.0, 21, 101, {})
    assert running.remaining(now=20.0, rate=None) == pytest.approx(40.0)
    assert running.remaining(now=24.0, rate=None) == pytest.approx(36.0)


def test_a_slow_first_step_does_not_spoil_the_estimate() -> None:
    """Loading data for 5 s before 100 steps of 0.1 s must not look like 100 steps of 5 s."""
    tasks = [task("a", "running", started=0.0), task("b")]
    tasks[0].progress(5.0, 1, 100, {})
    assert seconds_per_weight(tasks, 5.0) is None
    tasks[0].progress(7.0, 21, 100, {})
    assert tasks[0].remaining(7.0, None) == pytest.approx(7.9)


def test_a_total_that_changes_begins_anew() -> None:
    running = task("a", "running", started=0.0)
    running.progress(1.0, 10, 100, {})
    running.progress(2.0, 20, 100, {})
    running.progress(3.0, 5, 10, {})
    assert running.remaining(3.0, rate=None) is None


def test_an_estimate_after_a_fifth_is_right_for_steady_work() -> None:
    """Ten stages of 10 s, two at a time: after 20 % of the work, the estimate is within 30 % of what is left."""
    tasks = [task("a", "done", started=0.0, ended=10.0), task("b", "done", started=0.0, ended=10.0)]
    tasks += [task(str(k)) for k in range(8)]
    rate = seconds_per_weight(tasks, 10.0)
    assert estimate(tasks, 10.0, rate, 2) == pytest.approx(40.0, rel=0.3)


def test_weights_carry_over_to_waiting_stages() -> None:
    tasks = [task("a", "done", started=0.0, ended=6.0, weight=3.0), task("b", weight=1.5, needs=("a",))]
    assert estimate(tasks, 6.0, seconds_per_weight(tasks, 6.0), 8) == pytest.approx(3.0)


def test_a_chain_is_no_shorter_for_more_workers() -> None:
    tasks = [task("a", "running", started=0.0), task("b", needs=("a",)), task("c", needs=("b",))]
    tasks[0].progress(0.0, 0, 2, {})
    tasks[0].progress(4.0, 1, 2, {})
    rate = seconds_per_weight(tasks, 4.0)
    assert rate == pytest.approx(8.0)
    assert estimate(tasks, 4.0, rate, 1) == estimate(tasks, 4.0, rate, 100) == pytest.approx(4 + 8 + 8)


def test_a_silent_stage_that_overruns_is_never_negative() -> None:
    tasks = [task("a", "done", started=0.0, ended=1.0), task("b", "running", started=1.0)]
    assert estimate(tasks, 100.0, 1.0, 1) == 0.0


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["done", "cached"], "done"),
        (["done", "running"], "running"),
        (["failed", "waiting"], "running"),
        (["failed", "cancelled"], "failed"),
        (["done", "cancelled"], "cancelled"),
        ([], "done"),
    ],
)
def test_the_state_of_a_job(states: list[str], expected: str) -> None:
    job = Job("id", "title", [task(str(k), state) for k, state in enumerate(states)], started=0.0)
    assert job.state == expected
    assert job.view(1.0, 2).state == expected


def test_a_cancelled_job_shows_cancelled_while_its_stage_goes_on_for_another() -> None:
    shared = task("a", "running", started=0.0, done=1, total=10)
    job = Job("id", "title", [shared], started=0.0, dropped={"a"})
    view = job.view(5.0, 1)
    assert (view.state, view.stages[0].state, view.eta, view.stages[0].eta) == ("cancelled", "cancelled", None, None)
