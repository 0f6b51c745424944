"""What workers measure for pages is what the page would have measured, and comes back whole from the store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from unlearn_core.datasets import forget_datasets
from unlearn_core.datasets import registry as datasets
from unlearn_core.datasets.files import cache
from unlearn_core.datasets.files.facts import forget_facts
from unlearn_core.engine import Engine
from unlearn_core.errors import Cancelled
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.stages.read_files import plan_reading
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.support.deferring import NotRead, defer_reading, report_reading
from unlearn_core.views.boundary.data import healed, map_decisions
from unlearn_core.views.boundary.plane import plane_of, points_of
from unlearn_core.views.boundary.stage import plan_decision_maps, plan_plane
from unlearn_core.views.boundary.stored import computed_elsewhere, stored_decision_map, stored_plane
from unlearn_core.views.channels import data as redirect
from unlearn_core.views.channels.stage import plan_channels
from unlearn_core.views.channels.stored import fill
from unlearn_core.views.channels.strength import numbers
from unlearn_core.views.own_data import data as own
from unlearn_core.views.own_data.stage import plan_cost

NOTHING = (None, None, None)


def test_what_workers_look_up_is_what_the_page_would_compute(store: Store) -> None:
    task = make_scenario("digits", regularity=0.5, discovery=0.5, amount=60, overrides={"training.epochs": 1})
    method = make_method("rem", task, {"epochs": 1})
    where = plane_of(task, NOTHING)
    looks = [
        plan_plane(task, NOTHING), *plan_decision_maps(task, [None], NOTHING, where, 12), plan_cost(task),
        *plan_channels(task, method, [(0.0, 0.5)]),
    ]  # fmt: skip
    assert {stage.lane for stage in looks} == {"look"}
    engine = Engine(store, address="inline")
    view = engine.wait(engine.submit([*plan_runs(task, [method]), *looks], "looks"), 120)
    assert view.state == "done", [stage.message for stage in view.stages]
    engine.close()

    found, points = stored_plane(store, task, NOTHING)
    assert np.array_equal(found.axes, where.axes)
    assert [(a.index, a.version, a.place) for a in found.anchors] == [(a.index, a.version, a.place) for a in where.anchors]
    assert all(np.array_equal(one.inputs, other.inputs) for one, other in zip(found.anchors, where.anchors, strict=True))
    pd.testing.assert_frame_equal(points, points_of(task, where).reset_index(drop=True), check_dtype=False)
    field, share = stored_decision_map(store, task, None, found, 12)
    here = map_decisions(store, task, None, where, 12)
    assert np.array_equal(field.winners, here.winners)
    assert np.array_equal(field.confidence, here.confidence)
    assert share == healed(store, task, None)
    opened, direct = (redirect.open_run(store, task, method) for _ in range(2))
    fill(opened, store, method, [(0.0, 0.5)])
    assert "layers" in vars(opened)
    assert opened.memo[0.5] == numbers(direct, 0.5)
    assert all(np.array_equal(a.mean, b.mean) for a, b in zip(opened.layers, direct.layers, strict=True))
    assert own.Cost(**store.get(plan_cost(task).key).payload).epochs == 1


def test_small_data_are_a_matter_for_the_page_and_photographs_for_a_worker() -> None:
    assert not computed_elsewhere(make_scenario("blobs"))
    assert not computed_elsewhere(make_scenario("digits"))


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path / "cache"))
    forget_facts()
    forget_datasets()
    random = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 6)):
        for label in ("cat", "dog"):
            folder = tmp_path / "photos" / split / label
            folder.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(random.integers(0, 255, (8, 8, 3), np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "photos"


def test_a_page_is_told_what_to_let_read_and_finds_it_afterwards(store: Store, photos: Path) -> None:
    engine = Engine(store, address="inline")
    asked = []
    for _ in range(2):  # first what the files hold, then their pixels
        with defer_reading(), pytest.raises(NotRead) as missing:
            own.read("images", {"data": str(photos)}, 3)
        told_of = missing.value
        asked.append(told_of.seed)
        stage = plan_reading(told_of.dataset, told_of.params, told_of.seed, told_of.state)
        assert stage.lane == "look"
        assert engine.wait(engine.submit([stage], stage.title), 60).state == "done"
        forget_facts()
        forget_datasets()  # as in another process
    engine.close()
    assert asked == [None, 3]
    with defer_reading():
        assert own.read("images", {"data": str(photos)}, 3).train == 48


def test_reading_is_counted_and_can_be_broken_off(photos: Path) -> None:
    source = datasets.get("images")
    counted: list[tuple[int, int]] = []
    with report_reading(lambda done, total: counted.append((done, total))):
        params = source.full_params({"data": str(photos)})
    assert counted[0] == (0, 60)
    assert len(counted) > 2

    def stop(done: int, total: int) -> None:
        if done:
            raise Cancelled

    with report_reading(stop), pytest.raises(Cancelled):
        source.load(source.params(params), 0)
    assert not list((cache.folder() / "images").glob("*.npz"))
