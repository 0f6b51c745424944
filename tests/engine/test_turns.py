"""Strangers share the workers: round robin between sessions, a session's own limits, seconds that run out and come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.dummy import RUNNER, Stage, until
from unlearn_core.engine import Engine
from unlearn_core.engine.jobs import Task
from unlearn_core.engine.turns import Ready, Room, Turns
from unlearn_core.errors import UserError
from unlearn_core.store import Store
from unlearn_core.support.limits import Limits


def simulate(asked: list[int], workers: int, limits: Limits) -> list[str]:
    """Every stage takes a second; who had each turn, when session k asks for ``asked[k]`` stages at once."""
    turns, now = Turns(limits), 0.0
    waiting = [Ready(Task(Stage(f"{k}-{n}")), {str(k)}, False) for k, count in enumerate(asked) for n in range(count)]
    order: list[str] = []
    while waiting:
        running = []
        while (found := turns.pick(waiting, Room(workers), now)) is not None:
            one, owner = found
            waiting.remove(one)
            turns.begin(one.task.stage.key, owner, one.short)
            running.append(one.task.stage.key)
            order.append(owner)
        assert running, "nobody had a turn"
        assert len(running) <= workers
        now += 1.0
        for token in running:
            turns.end(token, now)
    return order


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_nobody_has_two_turns_while_another_waits_for_one(asked: list[int], workers: int) -> None:
    order = simulate(asked, workers, Limits(running=workers))
    assert sorted(order) == sorted(str(k) for k, count in enumerate(asked) for _ in range(count))
    for k, count in enumerate(asked):
        turns = [place for place, owner in enumerate(order) if owner == str(k)]
        for before, after in zip([-1, *turns], turns, strict=False):
            between = order[before + 1 : after]
            # While it waits each of the others has one turn, and no more than the workers of a round besides.
            assert max((between.count(owner) for owner in between), default=0) <= 1 + (workers - 1), (order, k)
        assert len(turns) == count


def test_one_stage_waits_for_the_one_under_way_and_not_for_fifty(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    engine = Engine(store, address="inline", runner=RUNNER, limits=Limits())
    try:
        many = [Stage(f"many{k:02d}", {"log": str(log), "steps": 2, "pause": 0.02}) for k in range(50)]
        first = engine.submit(many, "fifty", owner="greedy")
        until(lambda: log.exists() and len(log.read_text().splitlines()) >= 3)
        before = len(log.read_text().splitlines())
        one = engine.submit([Stage("single", {"log": str(log)})], "one", owner="modest")
        engine.wait(one, 60)
        engine.cancel(first)
        order = [line.split()[0] for line in log.read_text().splitlines()]
        # One may begin between the count and the question.
        assert order.index("single") <= before + 1
    finally:
        engine.close()


def test_a_stage_that_a_modest_session_wants_too_comes_in_its_turn() -> None:
    turns = Turns(Limits(running=1))
    tasks = [Task(Stage(f"s{k}")) for k in range(4)]
    turns.begin("under way", "greedy", False)
    turns.end("under way", 1.0)
    ready = [Ready(task, {"greedy"}, False) for task in tasks[:3]] + [Ready(tasks[3], {"greedy", "modest"}, False)]
    found = turns.pick(ready, Room(1), 1.0)
    assert found is not None
    assert (found[0].task, found[1]) == (tasks[3], "modest")


def test_a_session_s_stages_leave_workers_to_others_and_short_work_has_its_own() -> None:
    turns, room = Turns(Limits(running=2)), Room(3, spare=1)
    long = [Ready(Task(Stage(f"long{k}")), {"a"}, False) for k in range(4)]
    for one in long[:2]:
        assert turns.pick(long, room, 0.0) is not None
        turns.begin(one.task.stage.key, "a", False)
    assert turns.pick(long[2:], room, 0.0) is None
    other = Ready(Task(Stage("other")), {"b"}, False)
    assert turns.pick([*long[2:], other], room, 0.0) == (other, "b")
    turns.begin("other", "b", False)
    third = Ready(Task(Stage("third")), {"c"}, False)
    quick = Ready(Task(Stage("quick")), {"c"}, True)
    assert turns.pick([third, quick], room, 0.0) == (quick, "c")
    everywhere = Turns(Limits(running_all=1))
    everywhere.begin("x", "a", False)
    assert everywhere.pick([other], room, 0.0) is None


def test_seconds_run_out_and_come_back_with_the_window() -> None:
    turns = Turns(Limits(seconds=10, window=100))
    turns.begin("t", "a", False)
    assert turns.start("t", 0.0) == 10
    assert turns.account("a", 4.0).left == 6
    turns.end("t", 12.0)
    assert turns.account("a", 12.0) == turns.account("a", 50.0).__class__(12.0, 0.0, 100.0)
    ready = [Ready(Task(Stage("next")), {"a"}, False)]
    assert turns.pick(ready, Room(1), 50.0) is None
    assert turns.pick(ready, Room(1), 112.0) == (ready[0], "a")
    turns.begin("two", "b", False)
    turns.begin("three", "b", False)
    assert (turns.start("two", 0.0), turns.start("three", 0.0)) == (5.0, 5.0)


def test_another_who_wants_it_pays_for_the_rest() -> None:
    turns = Turns(Limits(seconds=10))
    turns.begin("t", "a", False)
    turns.start("t", 0.0)
    assert turns.pass_on("t", ["a", "b"], 10.0) == 10.0
    assert (turns.left("a", 12.0), turns.left("b", 12.0)) == (0.0, 8.0)
    assert turns.pass_on("t", ["a", "b"], 20.0) == 0.0


@pytest.fixture
def limited(store: Store) -> Iterator[Callable[..., Engine]]:
    made: list[Engine] = []

    def make(**values: int) -> Engine:
        made.append(Engine(store, address="inline", runner=RUNNER, limits=Limits(**values)))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def test_a_stage_that_uses_up_the_seconds_is_stopped_and_others_go_on(limited: Callable[..., Engine], store: Store) -> None:
    engine = limited(seconds=1, window=3600)
    endless = Stage("endless", {"steps": 10_000, "pause": 0.02})
    began = time.monotonic()
    greedy = engine.submit([endless, Stage("later")], "greedy", owner="greedy")
    until(lambda: engine.view(greedy).stages[0].state == "failed")  # type: ignore[union-attr]
    assert time.monotonic() - began < 20
    view = engine.view(greedy)
    assert view is not None
    assert "one session may use 1 seconds" in view.stages[0].message
    assert store.failure("endless") is None  # others may still ask for it
    assert view.stages[1].state == "waiting"
    assert engine.wait(engine.submit([Stage("other")], "other", owner="other"), 20).state == "done"
    assert engine.account("greedy").left == 0  # type: ignore[union-attr]
    assert engine.load()["greedy"] == 1


def test_what_waits_for_seconds_goes_on_by_itself_when_they_come_back(limited: Callable[..., Engine]) -> None:
    engine = limited(seconds=1, window=2)
    engine.wait(engine.submit([Stage("a", {"steps": 60, "pause": 0.02})], "a", owner="me"), 20)
    view = engine.wait(engine.submit([Stage("b")], "b", owner="me"), 20)
    assert view.state == "done"


def test_an_engine_that_refuses_computes_nothing(store: Store) -> None:
    engine = Engine(store, address="inline", runner=RUNNER, refuses="Nothing is computed here.")
    with pytest.raises(UserError, match="Nothing is computed here"):
        engine.submit([Stage("a")], "a")
    assert engine.jobs() == []


@pytest.mark.cluster
def test_on_worker_processes_turns_and_seconds_are_the_same(store: Store) -> None:
    engine = Engine(store, workers=1, runner=RUNNER, device="cpu", limits=Limits(seconds=4))
    try:
        many = engine.submit([Stage(f"m{k}", {"pause": 0.2}) for k in range(6)], "many", owner="greedy")
        until(lambda: store.has(["m0"]))
        assert engine.wait(engine.submit([Stage("one")], "one", owner="modest"), 60).state == "done"
        assert not store.has(["m4"])
        assert engine.wait(many, 60).state == "done"
        # It neither asks whether it is wanted nor ends by itself: its process is stopped, and the next one goes on.
        endless = engine.wait(engine.submit([Stage("deaf", {"deaf": 600})], "deaf", owner="deaf"), 60)
        assert "one session may use 4 seconds" in endless.stages[0].message
        assert engine.wait(engine.submit([Stage("two")], "two", owner="modest"), 60).state == "done"
    finally:
        engine.close()
