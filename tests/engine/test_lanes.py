"""Short work first: a lane of its own, what waiting stages wait for, and a Cancel that is one's own."""

from __future__ import annotations

import pytest

from tests.engine.dummy import RUNNER, Stage, until
from unlearn_core.engine import Engine
from unlearn_core.engine import engine as engine_module
from unlearn_core.engine.backends.inline import InlineBackend
from unlearn_core.engine.backends.protocol import Request
from unlearn_core.engine.handing_out import SMALL_JOB
from unlearn_core.engine.lanes import LONG, SHORT, Lanes
from unlearn_core.store import Store


def asked(token: str, lane: str = "long", priority: int = 0) -> Request:
    return Request(token, Stage(token, lane=lane), "", "", "cpu", RUNNER, priority)


def handed_out(lanes: Lanes, *requests: Request) -> dict[str, str]:
    for request in requests:
        lanes.add(request)
    return {request.token: resource for request, resource in lanes.ready()}


def test_long_work_never_takes_the_lanes_for_short_work() -> None:
    lanes = Lanes(long=2, spare=2)
    assert handed_out(lanes, *(asked(f"long{k}") for k in range(4))) == {"long0": LONG, "long1": LONG}
    assert handed_out(lanes, asked("toy", "quick")) == {"toy": SHORT}
    lanes.release(["long0"])
    assert handed_out(lanes) == {"long2": LONG}


def test_a_look_into_a_large_folder_leaves_a_lane_to_quick_work() -> None:
    lanes = Lanes(long=1, spare=2)
    first = handed_out(lanes, asked("long"), asked("look", "look"), asked("look2", "look"))
    assert first == {"long": LONG, "look": SHORT}
    assert handed_out(lanes, asked("toy", "quick")) == {"toy": SHORT}
    lanes.release(["look"])
    assert handed_out(lanes) == {"look2": SHORT}


def test_without_lanes_of_its_own_short_work_takes_any_by_priority() -> None:
    lanes = Lanes(long=1)
    assert handed_out(lanes, asked("sweep", priority=-9), asked("toy", "quick", priority=-1)) == {"toy": LONG}
    lanes.release(["sweep", "toy"])  # cancelled while it waited
    assert handed_out(lanes) == {}


LONG_STAGE = Stage("long", {"steps": 10_000, "pause": 0.02}, title="Retrain")


@pytest.mark.cluster
def test_a_toy_run_starts_beside_long_runs_on_all_workers(store: Store) -> None:
    engine = Engine(store, workers=1, spare=2, runner=RUNNER, device="cpu")
    engine.start()
    try:
        assert sorted(view.spare for view in engine.status().workers) == [False, True, True]
        long = engine.submit([LONG_STAGE, Stage("next", title="Next")], "long")
        until(lambda: engine.view(long).stages[0].done)
        assert engine.wait(engine.submit([Stage("toy", lane="quick")], "toy"), 20).state == "done"
        views = engine.view(long).stages
        assert [view.state for view in views] == ["running", "waiting"]
        assert views[1].waits_for == "a free worker: “Retrain” is being computed"
        until(lambda: engine.view(long).stages[1].waits)
    finally:
        engine.close()


def test_a_sweep_stays_out_of_the_lanes_for_short_work(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Request] = []
    monkeypatch.setattr(InlineBackend, "run", lambda _, request: given.append(request))
    engine.start()
    engine.submit([Stage(f"s{k}", lane="quick") for k in range(SMALL_JOB + 1)], "sweep")
    engine.submit([Stage("toy", lane="quick")], "toy")
    assert {request.stage.lane for request in given[:-1]} == {"long"}
    assert given[-1].stage.lane == "quick"


def test_waiting_says_for_what_and_how_long(engine: Engine) -> None:
    job = engine.submit([LONG_STAGE, Stage("after", needs=("long",))], "chain")
    until(lambda: engine.view(job).stages[0].eta)
    waiting = engine.view(job).stages[1]
    assert waiting.waits_for == "“Retrain”"
    assert waiting.waits == pytest.approx(engine.view(job).stages[0].eta, rel=0.2)
    assert engine.view(job).stages[0].waits_for == ""


def test_one_persons_cancel_leaves_the_run_to_others(engine: Engine) -> None:
    mine = engine.submit([LONG_STAGE], "run", by="me")
    assert engine.submit([LONG_STAGE], "run", by="you") == mine
    assert (engine.others(mine, "me"), engine.others(mine, "you")) == (1, 1)
    assert not engine.cancel(mine, "me")
    assert engine.view(mine).state == "running"
    assert engine.others(mine, "you") == 0
    assert engine.cancel(mine, "you")
    assert engine.wait(mine, 5).state == "cancelled"


def test_who_looks_counts_for_a_while_and_who_has_gone_does_not(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "WATCHING_SECONDS", 0.3)
    gone = {"closed"}
    engine = Engine(store, address="inline", runner=RUNNER, lives=lambda by: by not in gone)
    job = engine.submit([LONG_STAGE], "run", by="closed")  # and the browser was closed, or the page loaded again
    engine.watch(job, "me")
    engine.watch(job, "visitor")
    assert engine.others(job, "me") == 1
    until(lambda: engine.others(job, "me") == 0)
    assert engine.cancel(job, "me")
    engine.close()


def test_two_runs_with_a_stage_in_common_say_so_and_go_on_for_the_other(engine: Engine) -> None:
    one = engine.submit([LONG_STAGE, Stage("mine")], "one", by="me")
    two = engine.submit([Stage("long", {"steps": 10_000, "pause": 0.02}), Stage("yours")], "two", by="you")
    assert (engine.view(one).shared, engine.view(two).shared) == (1, 1)
    assert engine.cancel(one, "me")
    assert engine.view(one).state == "cancelled"
    assert engine.view(two).state == "running"
    assert engine.view(two).shared == 0
