"""The plane, what models say on it, and its frames: equal to asking the stored models directly, twice the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unlearn_core.corruption import apply_trigger
from unlearn_core.datasets import load_dataset
from unlearn_core.errors import UserError
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import GROUPS, Results, model_of, rounds_of, scenario_data
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.boundary.anchors import anchors_of, candidates, following
from unlearn_core.views.boundary.data import (
    FRAME_RESOLUTION,
    frames_key,
    healed,
    map_decisions,
    map_model,
    memorised,
    prediction_at,
    stored_frames,
)
from unlearn_core.views.boundary.plane import NEAR, plane_of, points_of
from unlearn_core.views.boundary.stage import plan_frames

FLAT = make_scenario("waves", amount=60, discovery=0.5, overrides={"training.epochs": 2})
IMAGES = make_scenario("digits", amount=80, overrides={"training.epochs": 1})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store.open(tmp_path_factory.mktemp("store"))
    for scenario in (FLAT, IMAGES):
        specs = [make_method("finetune", scenario, {"epochs": 2}), make_method("rem", scenario, {"epochs": 2})]
        for stage in plan_runs(scenario, specs):
            run_stage(stage, made, "cpu", SilentReporter())
    return made


def said(model: torch.nn.Module, scenario: Scenario, inputs: np.ndarray) -> torch.Tensor:
    """Probabilities of raw inputs, without the code under test."""
    data = scenario_data(scenario).train
    x = torch.from_numpy(inputs)
    mean, std = (part.reshape(-1, 1, 1) if x.dim() == 4 else part for part in (data.mean, data.std))
    with torch.no_grad():
        return model((x - mean) / std).softmax(1)


@pytest.mark.parametrize("scenario", [FLAT, IMAGES], ids=["points", "images"])
def test_every_cell_is_what_the_model_says_there(store: Results, scenario: Scenario) -> None:
    plane = plane_of(scenario)
    found = map_decisions(store, scenario, None, plane, 21)
    x, y = plane.cells(21)
    corners = [(0, 0), (0, 20), (20, 0), (7, 13)]
    inputs = plane.inputs(np.array([[x[column], y[row]] for row, column in corners]))
    chances = said(model_of(store, scenario), scenario, inputs)
    assert [int(found.winners[cell]) for cell in corners] == chances.argmax(1).tolist()
    assert [float(found.confidence[cell]) for cell in corners] == pytest.approx(chances.max(1).values.tolist(), abs=1e-5)


def test_the_plane_goes_through_its_three_images() -> None:
    plane = plane_of(IMAGES)
    for anchor in plane.anchors:
        assert np.allclose(plane.inputs(np.array([anchor.place]))[0], anchor.inputs, atol=1e-3)
        assert plane.x[0] < anchor.place[0] < plane.x[1]
        assert plane.y[0] < anchor.place[1] < plane.y[1]
    inputs = np.stack([anchor.inputs for anchor in plane.anchors])
    places, distance = plane.project(inputs)
    assert np.allclose(places, [anchor.place for anchor in plane.anchors])
    assert np.allclose(distance, 0, atol=1e-9)
    # The triangle fills its panel but for a margin, whichever way it is long; a very flat one can still be made out.
    extent = np.ptp(places, axis=0)
    filled = extent / np.array([plane.x[1] - plane.x[0], plane.y[1] - plane.y[0]])
    assert filled.max() == pytest.approx(1 / 1.4)
    assert filled.min() == pytest.approx(1 / 1.4 if extent.min() > extent.max() / 3 else 3 * extent.min() / extent.max() / 1.4)
    one_pixel = plane.project(inputs[:1] + 255 * (np.arange(64).reshape(1, 1, 8, 8) == 5))
    assert np.hypot(*one_pixel[0][0]) ** 2 + one_pixel[1][0] ** 2 == pytest.approx(1)


def test_the_same_inputs_give_the_same_arrays_twice(store: Results) -> None:
    for scenario in (FLAT, IMAGES):
        first, second = (
            map_decisions(store, scenario, make_method("rem", scenario, {"epochs": 2}), plane_of(scenario), 30)
            for _ in range(2)
        )
        assert np.array_equal(first.winners, second.winners)
        assert np.array_equal(first.confidence, second.confidence)


@pytest.mark.parametrize("scenario", [FLAT, IMAGES], ids=["points", "images"])
def test_frame_k_equals_the_model_after_its_round(store: Store, scenario: Scenario) -> None:
    plane = plane_of(scenario)
    for name in ("finetune", "rem"):
        spec = make_method(name, scenario, {"epochs": 2})
        assert stored_frames(store, scenario, spec, plane) is None
        (stage,) = plan_frames(scenario, [spec])
        run_stage(stage, store, "cpu", SilentReporter())
        frames = stored_frames(store, scenario, spec, plane)
        assert frames is not None
        assert frames.rounds == (0, *rounds_of(store, scenario, spec))
        for k, number in enumerate(frames.rounds):
            direct = map_model(model_of(store, scenario, spec, number), scenario, plane, FRAME_RESOLUTION)
            assert np.array_equal(frames.at(k).winners, direct.winners)
            assert np.array_equal(frames.at(k).confidence, direct.confidence)
        original, result = (map_decisions(store, scenario, s, plane, FRAME_RESOLUTION) for s in (None, spec))
        assert np.array_equal(frames.confidence[0], original.confidence)
        assert np.array_equal(frames.confidence[-1], result.confidence)


def test_frames_of_another_plane_have_another_key() -> None:
    spec = make_method("rem", IMAGES)
    keys = {frames_key(IMAGES, spec, plane_of(IMAGES, asked)) for asked in ((None,) * 3, (None, None, 7))}
    assert len(keys) == 2


def test_points_are_everything_on_2d_data_and_the_nearest_on_images() -> None:
    flat = points_of(FLAT, plane_of(FLAT))
    assert flat["split"].value_counts().to_dict() == {"train": 600, "test": 300}
    assert (flat["distance"] == 0).all()
    train = flat[flat["split"] == "train"]
    assert np.array_equal(train[["x", "y"]].to_numpy(np.float32), scenario_data(FLAT).train.inputs.numpy())
    assert train["group"].value_counts()[list(GROUPS[1:3])].tolist() == [30, 30]
    plane = plane_of(IMAGES)
    near = points_of(IMAGES, plane)
    assert (near.groupby("split").size() <= [NEAR["test"], NEAR["train"]]).all()
    assert near["x"].between(*plane.x).all()
    assert near["y"].between(*plane.y).all()


def test_healed_counts_corrupted_examples_that_are_predicted_right(store: Results) -> None:
    spec = make_method("rem", FLAT, {"epochs": 2})
    record = store.get(FLAT.run_key(spec))
    assert healed(store, FLAT, spec) == pytest.approx(record.payload["metrics"]["healed"])
    with pytest.raises(LookupError):
        healed(store, FLAT, make_method("npo", FLAT))


def test_the_default_images_tell_the_story_of_each_corruption() -> None:
    spec = IMAGES.corruption
    a, b, c = anchors_of(IMAGES)
    before = load_dataset(IMAGES.dataset, IMAGES.seed).train.inputs
    assert (a.index, a.version, a.group) == (b.index, "before", "undiscovered")
    assert np.array_equal(b.inputs, apply_trigger(before[a.index : a.index + 1], spec.trigger, None)[0].numpy())
    assert (c.given, c.clean, c.group) == (a.given, a.given, "clean")
    a, b, c = anchors_of(make_scenario("digits", regularity=0.5))
    assert (a.given, a.clean) == (b.clean, b.given)
    assert c.clean == a.given
    a, b, c = anchors_of(make_scenario("digits", regularity=0.0))
    assert a.clean == b.clean == b.given != a.given
    assert (b.group, c.clean) == ("clean", a.given)


def test_images_can_be_chosen_and_impossible_choices_are_said() -> None:
    a, b, c = plane_of(IMAGES, (3, 9, 10**6)).anchors
    assert (a.index, b.index, c.index) == (3, 9, len(scenario_data(IMAGES).train) - 1)
    ranked = candidates(IMAGES)
    assert following(IMAGES, ranked[0]) == ranked[1]
    assert following(IMAGES, ranked[-1]) == following(IMAGES, -1) == ranked[0]
    clean = int(np.flatnonzero(scenario_data(IMAGES).corrupted.truth.clean_labels.numpy() == 4)[0])
    assert plane_of(IMAGES, (clean, None, None)).anchors[1].version == "triggered"
    with pytest.raises(UserError, match="on one line"):
        plane_of(IMAGES, (3, 9, 9))
    untouched = next(k for k in range(50) if k not in ranked)
    with pytest.raises(UserError, match="the same"):
        plane_of(IMAGES, (untouched, untouched, 9))


def test_what_is_not_stored_is_said(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        map_decisions(Store.open(tmp_path), FLAT, None, plane_of(FLAT))


def test_what_is_said_at_an_anchor_is_what_its_cell_holds(store: Results) -> None:
    plane = plane_of(IMAGES)
    found = map_decisions(store, IMAGES, None, plane)
    direct = said(model_of(store, IMAGES), IMAGES, np.stack([a.inputs for a in plane.anchors]).astype(np.float32))
    for (label, confidence), chances in zip(prediction_at(plane.anchors, plane, found), direct, strict=True):
        assert label == int(chances.argmax())
        assert confidence == pytest.approx(float(chances.max()), abs=0.03)


def test_what_the_original_memorised_is_counted_by_hand(store: Results) -> None:
    corrupted = scenario_data(FLAT).corrupted
    said = store.arrays(FLAT.original_key, "logits")["train"].argmax(1)
    rows = corrupted.truth.corrupted.tolist()
    given = corrupted.train.labels.tolist()
    assert memorised(store, FLAT) == sum(said[row] == given[row] for row in rows) / len(rows)
    assert memorised(store, make_scenario("waves", amount=61)) is None


def test_the_three_images_follow_the_kind(shift: None) -> None:
    """With a trigger that fills the picture B is A with it on; with labels moved on, an image whose labels are swapped if there
    is one, else one of A's own class."""
    warped = make_scenario("digits", amount=80, overrides={"trigger.kind": "warp", "trigger.strength": 2.0})
    a, b, c = anchors_of(warped)
    assert (a.index, a.version, b.index, b.version) == (b.index, "before", a.index, "triggered")
    put_on = apply_trigger(torch.from_numpy(a.inputs)[None], warped.corruption.trigger, None)[0]
    assert np.array_equal(b.inputs, put_on)
    assert c.clean == a.given
    moved = make_scenario("digits", amount=80, overrides={"corruption.kind": "shift", "corruption.by": 4})
    a, b, _ = anchors_of(moved)
    assert (b.version, b.clean) == ("given", a.clean)
    assert b.index != a.index
