"""The order of a job's stages: the plan's own but for what would end alone, and costs that come from the store."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.measure.cluster_simulation import least, simulate
from tests.engine.dummy import RUNNER, Stage, until
from tests.engine.outside import Outside
from unlearn_core.cli.sweep import plan_stages
from unlearn_core.engine import Engine
from unlearn_core.engine.backends.inline import InlineBackend
from unlearn_core.engine.expected import with_expected
from unlearn_core.engine.order import arrange, chain_costs
from unlearn_core.specs import SweepSpec
from unlearn_core.stages.stage import Stage as RealStage
from unlearn_core.store import Store


def costs(*weights: float, needs: dict[int, int] | None = None) -> list[RealStage]:
    given = needs or {}
    return [
        RealStage("run", str(number), "", {}, (str(given[number]),) if number in given else (), weight)
        for number, weight in enumerate(weights)
    ]


def ends(stages: list[RealStage], workers: int, naive: bool = False) -> float:
    turns = {stage.key: number for number, stage in enumerate(stages)} if naive else arrange(stages, workers)
    return simulate(stages, turns, {stage.key: stage.weight for stage in stages}, workers).makespan


def test_a_long_stage_that_comes_last_is_begun_first() -> None:
    stages = costs(*[1.0] * 8, 8.0)
    assert ends(stages, 2, naive=True) == 12.0  # four rounds of two, then it goes on alone
    assert ends(stages, 2) == 8.0


def test_a_chain_counts_as_a_whole() -> None:
    stages = costs(*[1.0] * 8, 4.0, 4.0, needs={9: 8})  # the original of a long method, and the method
    assert chain_costs(stages)["8"] == 8.0
    assert ends(stages, 2, naive=True) == 12.0
    assert ends(stages, 2) == 8.0


def test_otherwise_the_plan_s_order_stays() -> None:
    rng = random.Random(0)
    stages = costs(*(rng.uniform(1, 3) for _ in range(200)))
    in_order = [str(number) for number in range(200)]
    assert sorted(in_order, key=arrange(stages, 1).__getitem__) == in_order
    first = sorted(in_order, key=arrange(stages, 4).__getitem__)[:150]
    assert first == in_order[:150]


def test_random_plans_end_no_later_than_in_their_own_order_and_near_what_is_possible() -> None:
    rng = random.Random(1)
    ours, own, best = 0.0, 0.0, 0.0
    for _ in range(200):
        count, workers = rng.randint(10, 60), rng.choice([2, 4, 8])
        originals = {number: number - number % 6 for number in range(count) if number % 6}
        stages = costs(*(rng.choice([1, 1, 1, 2, 12]) * rng.uniform(0.8, 1.2) for _ in range(count)), needs=originals)
        takes = {stage.key: stage.weight for stage in stages}
        mine = ends(stages, workers)
        assert mine <= 1.05 * ends(stages, workers, naive=True)  # a list can always be unlucky
        ours, own, best = ours + mine, own + ends(stages, workers, naive=True), best + least(stages, takes, workers)
    assert ours < 0.95 * own
    assert ours < 1.05 * best


def test_a_lost_worker_costs_its_stage_and_its_share() -> None:
    stages = costs(*[1.0] * 8)
    takes = {stage.key: 1.0 for stage in stages}
    lost = simulate(stages, arrange(stages, 2), takes, 2, lost_at=1.5)
    assert (lost.makespan, lost.repeated) == (7.0, 0.5)  # three are done at 2, and five are left for one worker
    assert simulate(stages, arrange(stages, 2), takes, 2).idle == pytest.approx(0.0)


def plan() -> list[RealStage]:
    tasks = {"dataset": "blobs", "regularity": [0.0, 1.0], "discovery": [0.3], "amount": [60], "seeds": [0, 1]}
    return plan_stages(SweepSpec.parse(tasks | {"methods": ["finetune", "npo"], "set": {"training.epochs": 3}}))


def method_of(stage: RealStage) -> str:
    return stage.payload["method"]["name"] if stage.kind == "run" else ""


def remember(store: Store, stage: RealStage, seconds: float, device: str = "cpu") -> None:
    spec = {name: stage.payload[name] for name in ("scenario", "method") if name in stage.payload}
    method = {"method": stage.payload["method"]["name"], "metrics": {}} if stage.kind == "run" else {}
    store.put(stage.key, stage.kind, spec, method | {"seconds": seconds, "device": device}, {})


def test_what_was_measured_for_the_same_method_and_size_is_expected(store: Store) -> None:
    stages = plan()
    npo = [stage for stage in stages if method_of(stage) == "npo"]
    assert with_expected(stages, store, "auto") == stages  # nothing is known
    for stage, seconds in zip(npo, (7.0, 9.0, 30.0), strict=False):
        remember(store, stage, seconds)
    original = next(stage for stage in stages if stage.kind == "original")
    remember(store, original, 5.0)
    found = {stage.key: stage.weight for stage in with_expected(stages, store, "auto")}
    assert {found[stage.key] for stage in npo} == {9.0}  # the median, at every regularity and seed
    assert {found[stage.key] for stage in stages if stage.kind == "original"} == {5.0}
    unknown = next(stage for stage in stages if method_of(stage) == "finetune")
    rate = (4 * 9.0 + 4 * 5.0) / sum(s.weight for s in stages if s in npo or s.kind == "original")
    assert found[unknown.key] == pytest.approx(unknown.weight * rate)
    assert with_expected(stages, store, "cuda") == stages  # measured on another kind of device
    larger = [RealStage(s.kind, s.key, s.title, _resized(s.payload), s.needs, s.weight) for s in stages]
    assert with_expected(larger, store, "auto") == larger  # or with another training


def _resized(payload: dict[str, object]) -> dict[str, object]:
    scenario = dict(payload["scenario"])  # type: ignore[call-overload]
    return payload | {"scenario": scenario | {"training": scenario["training"] | {"epochs": 40}}}


def test_the_engine_hands_out_the_long_one_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, str]] = []
    stages = plan()
    # The last run's method takes long, as the store knows from other tasks; on these it is not asked for.
    first = next(stage for stage in stages if stage.kind == "original")
    for stage in stages:
        if stage is first or first.key in stage.needs:
            remember(store, stage, 60.0 if method_of(stage) == "npo" else 1.0)
    stages = [stage for stage in stages if method_of(stage) != "npo" or stage is stages[-1]]
    monkeypatch.setattr(InlineBackend, "run", lambda _, request: given.append((request.priority, request.stage.key)))
    monkeypatch.setattr("unlearn_core.engine.pool.WorkerPool.slots", lambda _: 4)
    engine = Engine(store, address="inline")
    engine.start()
    engine.submit(stages, "sweep")
    needed = stages[-1].needs[0]
    assert max(given)[1] == needed  # its original first, which comes last in the plan
    engine.close()


@pytest.mark.cluster
def test_on_two_workers_the_long_stage_does_not_end_alone(store: Store, tmp_path: Path) -> None:
    outside = Outside(tmp_path)
    engine = Engine(store, address=outside.address, runner=RUNNER, device="cpu")
    short = [Stage(f"short{k}", {"pause": 0.4}, weight=0.4) for k in range(6)]
    try:
        outside.scheduler()
        for _ in range(2):
            outside.worker()
        engine.start()
        until(lambda: len(engine.status().workers) == 2)
        job = engine.submit([*short, Stage("long", {"pause": 2.0}, weight=2.0)], "uneven")
        assert engine.wait(job, 60).state == "done"
    finally:
        engine.close()
        outside.end()
    spans = {key: store.get(key).payload["span"] for key in ("long", *(stage.key for stage in short))}
    begins = sorted(spans, key=lambda key: spans[key][0])
    assert "long" in begins[:2]
    # One of the two did the long one and the other nearly all short ones, in their order.
    beside = [key for key in begins if key != "long" and spans[key][1] < spans["long"][1]]
    assert len(beside) >= 3
    assert all(one < other for one, other in pairwise(key for key in begins if key != "long"))
