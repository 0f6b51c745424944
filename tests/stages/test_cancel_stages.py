"""Cancelling in every kind of stage: it stops soon, leaves the store as it was, and the next attempt gives the usual result."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unlearn_core.engine import worker
from unlearn_core.engine.backends.protocol import Request
from unlearn_core.evaluation.returning import Course
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import Scenario
from unlearn_core.stages.margins import plan_margins
from unlearn_core.stages.metrics import plan_measures
from unlearn_core.stages.original import plan_original
from unlearn_core.stages.reference_models import plan_reference_models
from unlearn_core.stages.regularity import plan_regularity
from unlearn_core.stages.returns import plan_returns
from unlearn_core.stages.stage import Stage, stage_kinds
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.boundary.plane import plane_of
from unlearn_core.views.boundary.stage import plan_decision_maps, plan_frames, plan_plane
from unlearn_core.views.channels.stage import plan_channels
from unlearn_core.views.datamap.stage import plan_map
from unlearn_core.views.embedding.stage import plan_embedding
from unlearn_core.views.health.stage import plan_health, plan_remote
from unlearn_core.views.heatmap.data import MissingMetric
from unlearn_core.views.likeness.stage import plan_likeness
from unlearn_core.views.looks.stage import plan_judging, plan_looks
from unlearn_core.views.occlusion.stage import plan_occlusion
from unlearn_core.views.own_data.stage import plan_cost
from unlearn_core.views.similarity.stage import plan_similarity
from unlearn_core.views.start.stage import plan_films

SECONDS = 2.0
"""A stage asks whether it is cancelled at least so often, in processor time (on this small data, on one core)."""


def scenario() -> Scenario:
    return make_scenario("blobs", regularity=0.5, discovery=0.5, amount=60, overrides={"training.epochs": 5})


def run_of(name: str, **overrides: Any) -> list[Stage]:
    task = scenario()
    return plan_runs(task, [make_method(name, task, overrides)])


def pending() -> list[Stage]:
    original, run = run_of("finetune")
    return [original, run, *plan_measures([MissingMetric(scenario(), "utility", (original.key, run.key), ())])]


def discovering(name: str) -> Callable[[], list[Stage]]:
    return lambda: run_of(name, epochs=1, rounds=1, folds=2)


def seen_by_umap() -> list[Stage]:
    *runs, _, umap = plan_embedding(scenario(), [make_method("finetune", scenario())])
    return [*runs, umap]


def looking(what: str) -> Callable[[], list[Stage]]:
    """Stages of what pages show of large data; on this small data they do the same."""

    def plan() -> list[Stage]:
        task = scenario()
        method, nothing = make_method("rem", task, {"epochs": 2}), (None, None, None)
        runs = plan_runs(task, [method])
        if what == "plane":
            return [plan_plane(task, nothing)]
        if what == "field":
            return [*runs, *plan_decision_maps(task, [method], nothing, plane_of(task, nothing))]
        if what == "cost":
            return [plan_cost(task)]
        channels, strengths = plan_channels(task, method, [(0.0, 0.5, 1.0)])
        return [*runs, channels if what == "channels" else strengths]

    return plan


def judging() -> list[Stage]:
    """Discovery that is told of some examples, which may be any."""
    task = scenario()
    search = make_method("rem_discover", task, {"epochs": 1, "rounds": 1, "folds": 2})
    return [*plan_looks(task), plan_judging(task, search, tuple(range(20)))]


def returning(kind: str) -> Callable[[], list[Stage]]:
    """A stage that looks into what comes back in a stored model, after those that it needs."""

    def plan() -> list[Stage]:
        task = scenario()
        spec = make_method("finetune", task)
        if kind in ("margin_pair", "margins"):
            original, pair, margins = plan_margins(task, [spec], 1)
            return [original, pair] if kind == "margin_pair" else [original, pair, margins]
        *runs, course, barrier = plan_returns(task, [spec], [Course("left", epochs=2)], barrier=True)
        return [*runs, course if kind == "returns" else barrier]

    return plan


def comparing() -> list[Stage]:
    return [*run_of("finetune"), plan_similarity(scenario(), make_method("finetune", scenario()))]


def occluding() -> list[Stage]:
    """A patch over an image, which takes a scenario that has some."""
    task = make_scenario("digits", overrides={"training.epochs": 1})
    return [plan_original(task), plan_occlusion(task, None, 0)]


PLANS: dict[str, tuple[str, Callable[[], list[Stage]]]] = {
    "original": ("original", lambda: run_of("finetune")[:1]),
    "fine-tuning": ("run", lambda: run_of("finetune")),
    "retraining": ("run", lambda: run_of("retrain")),
    "redirection": ("run", lambda: run_of("rem", epochs=2)),
    "discovery with redirection": ("run", discovering("rem_discover")),
    "discovery with retraining": ("run", discovering("retrain_discover")),
    "regularity": ("regularity", lambda: plan_regularity(scenario())),
    "membership": ("reference_models", lambda: plan_reference_models(scenario())),
    "measures": ("measures", pending),
    "pca": ("embedding", lambda: plan_embedding(scenario(), [make_method("finetune", scenario())])[:-1]),
    "umap": ("embedding", seen_by_umap),
    **{what: (what, looking(what)) for what in ("plane", "field", "cost", "channels", "strengths")},
    "data map": ("data_map", lambda: plan_map(scenario())),
    "looks": ("looks", lambda: plan_looks(scenario())),
    "looks judging": ("looks_judging", judging),
    **{what: (what, returning(what)) for what in ("returns", "barrier", "margin_pair", "margins")},
    "health": ("health", lambda: [plan_health(scenario().dataset, 0)]),
    "outliers": ("health_outliers", lambda: [*run_of("finetune")[:1], plan_remote(scenario())]),
    "likeness": ("likeness", lambda: [*run_of("finetune")[:1], plan_likeness(scenario(), "gradient", None)]),
    "occlusion": ("occlusion", occluding),
    "similarity": (
        "similarity",
        comparing,
    ),
    "film": ("film", lambda: plan_films(scenario(), {"rem": make_method("rem", scenario(), {"epochs": 2})})),
    "boundary": ("boundary", lambda: [*run_of("finetune"), *plan_frames(scenario(), [make_method("finetune", scenario())])]),
}


class Watch:
    """Answers whether the stage is cancelled: from the ``after``-th time on; and notes the processor time between questions."""

    def __init__(self, after: int | None) -> None:
        self.after, self.asked, self.longest, self._last = after, 0, 0.0, time.process_time()

    def __call__(self) -> bool:
        self.asked += 1
        self.pause()
        return self.after is not None and self.asked >= self.after

    def pause(self) -> None:
        now = time.process_time()
        self.longest, self._last = max(self.longest, now - self._last), now


def contents(store: Store) -> dict[str, Any]:
    """Everything stored, to the bit."""
    arrays = {
        (record.key, group, name): value.tobytes()
        for record in store.find()
        for group in record.arrays
        for name, value in store.arrays(record.key, group).items()
    }
    files = sorted(str(path) for path in Path(store.location).glob("artifacts/??/*"))
    return {"arrays": arrays, "files": files}


def test_every_kind_of_stage_is_cancelled_here() -> None:
    # These need files: a checkpoint (tests/datasets/test_checkpoint_fit.py), images (tests/views/test_looking.py), a server of
    # files (tests/datasets/test_fetching.py).
    assert {kind for kind, _ in PLANS.values()} == stage_kinds() - {"fit", "reading", "fetching"}


@pytest.mark.parametrize("what", PLANS)
def test_a_cancelled_stage_stops_soon_and_can_be_computed_again(what: str, tmp_path: Path) -> None:
    *before, stage = PLANS[what][1]()
    assert stage.kind == PLANS[what][0]
    store = Store.open(tmp_path / "store")

    def execute(which: Stage, after: int | None = None) -> tuple[Any, Watch]:
        watch = Watch(after)
        request = Request("token", which, store.location, store.identity, "cpu", "unlearn_core.stages.execution:run_stage")
        outcome = worker.execute(request, lambda event: None, watch)
        watch.pause()
        return outcome, watch

    for needed in before:
        assert execute(needed)[0].status == "done"
    if what == "umap":
        worker.warm()  # a process compiles UMAP once, which cannot be interrupted; the embedded cluster does so in a pause
    untouched = contents(store)
    outcome, watch = execute(stage)
    assert outcome.status == "done"
    assert watch.longest < SECONDS
    usual = contents(store)
    for after in sorted({1, 2, (watch.asked + 1) // 2, watch.asked}):
        store.delete(stage.key)
        assert execute(stage, after)[0].status == "cancelled", f"asked {watch.asked} times, cancelled at {after}"
        assert not store.has([stage.key])
        assert store.failure(stage.key) is None
        assert contents(store) == untouched
    assert execute(stage)[0].status == "done"
    assert contents(store) == usual
    store.close()
