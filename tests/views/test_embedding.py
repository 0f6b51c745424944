"""Coordinates: the same twice, faithful to each model, in place where nothing changed; examples: counts that add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import model_of, scenario_data
from unlearn_core.stages.execution import run_stage
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.embedding import data as e
from unlearn_core.views.embedding import examples as x
from unlearn_core.views.embedding.stage import plan_embedding

SCENARIO = make_scenario("blobs", regularity=1.0, amount=60, discovery=0.5, overrides={"training.epochs": 12})
SPECS = [make_method(name, SCENARIO) for name in ("retrain", "etd")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store.open(tmp_path_factory.mktemp("store"))
    for stage in plan_embedding(SCENARIO, SPECS):
        run_stage(stage, made, "cpu", SilentReporter())
    return made


@pytest.fixture(scope="module")
def shown(store: Store) -> x.Examples:
    return x.examples(store, SCENARIO, SPECS)


@pytest.mark.parametrize("way", e.WAYS)
def test_what_the_stage_stored_is_computed_again_bit_for_bit(store: Store, way: str) -> None:
    stored, again = e.stored_embedding(store, SCENARIO, SPECS, way), e.embed(store, SCENARIO, SPECS, way)
    assert stored is not None
    assert stored.models == again.models == ("original", "etd", "retrain")
    for name in ("points", "places", "neighbours"):
        assert np.array_equal(getattr(stored, name), getattr(again, name)), name
    assert np.isfinite(stored.places).all()
    assert stored.places.dtype == np.float32


def test_asking_in_another_order_is_the_same(store: Store) -> None:
    assert e.embedding_key(SCENARIO, SPECS, "umap") == e.embedding_key(SCENARIO, SPECS[::-1], "umap")
    assert e.embedding_key(SCENARIO, SPECS, "umap") != e.embedding_key(SCENARIO, SPECS[:1], "umap")
    assert e.embedding_key(SCENARIO, SPECS, "umap") != e.embedding_key(SCENARIO, SPECS, "pca")


def test_umap_keeps_neighbours_and_leaves_unchanged_examples_in_place(store: Store, shown: x.Examples) -> None:
    found = e.stored_embedding(store, SCENARIO, SPECS, "umap")
    assert found is not None
    spread = np.sqrt(np.square(found.places - found.places.reshape(-1, 2).mean(0)).sum(-1).mean())
    for k, model in enumerate(found.models):
        spec = next((spec for spec in SPECS if spec.name == model), None)
        features = e.standardised(e.features_of(store, SCENARIO, spec, found.points))
        assert trustworthiness(features, found.places[k], n_neighbors=15) > 0.95
        same = (shown.groups == 0) & (shown.predicted(model) == shown.predicted("original"))
        moved = np.linalg.norm(found.places[k] - found.places[0], axis=1)[same] / spread
        assert np.median(moved) < 0.1, model


def test_a_model_drawn_twice_lies_on_itself() -> None:
    features = np.random.default_rng(1).normal(size=(120, 6)).astype(np.float32)
    turned = features @ np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))[0]
    one, two = e.pca([features, turned])
    assert np.allclose(one, two, atol=1e-6)
    umap = e.layout([features, features])
    assert np.median(np.linalg.norm(umap[0] - umap[1], axis=1)) < 0.25 * umap.std()


def test_models_that_stay_do_not_hold_back_one_that_moves_where_copies_are_tied_to_the_first_alone() -> None:
    """Two islands; in the last of six models ten points have changed sides."""
    random = np.random.default_rng(0)
    stay = random.normal(size=(120, 6)) + 9 * (np.arange(120) % 2)[:, None]
    moved = stay.copy()
    moved[:20:2] += 9
    features = [stay.astype(np.float32)] * 5 + [moved.astype(np.float32)]
    gone = []
    for to_first in (False, True):
        places = e.layout(features, to_first=to_first)
        sides = np.array([places[-1, 20 + side :: 2].mean(0) for side in (0, 1)])
        ways = np.linalg.norm(places[-1, :20:2, None] - sides, axis=2)
        gone.append(int((ways[:, 1] < ways[:, 0]).sum()))
    assert gone[1] > gone[0], gone
    assert gone[1] >= 8


def test_neighbours_are_the_nearest_others(store: Store) -> None:
    found = e.stored_embedding(store, SCENARIO, SPECS, "umap")
    assert found is not None
    features = e.standardised(e.features_of(store, SCENARIO, None, found.points)).astype(float)
    for row in (0, 17):
        distances = np.linalg.norm(features - features[row], axis=1)
        distances[row] = np.inf
        order = np.sort(distances)[: e.LISTED]
        assert np.allclose(distances[found.neighbours[0, row]], order, atol=1e-4)
    assert (found.neighbours != found.points[None, :, None]).all()


def test_many_examples_are_subsampled_for_umap_but_not_for_pca(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e, "MAX_POINTS", 100)
    monkeypatch.setattr(e.subsample, "__defaults__", (100,))
    umap, pca = (e.embed(store, SCENARIO, SPECS[:1], way) for way in e.WAYS)
    assert umap.places.shape == (2, 100, 2)
    assert umap.total == pca.places.shape[1] == len(pca.points) > 100
    assert (np.diff(umap.points) > 0).all()
    assert np.isin(pca.neighbours, umap.points).all()
    assert np.array_equal(e.subsample(1000, 100), e.subsample(1000, 100))


def test_what_is_not_stored_is_said(store: Store, tmp_path: Path) -> None:
    empty = Store.open(tmp_path)
    assert e.stored_embedding(empty, SCENARIO, SPECS, "umap") is None
    with pytest.raises(LookupError):
        e.embed(empty, SCENARIO, SPECS, "pca")
    with pytest.raises(LookupError):
        x.examples(empty, SCENARIO, SPECS)


def test_modes_are_what_they_say_and_add_up(store: Store, shown: x.Examples) -> None:
    metrics = {spec.name: store.get(SCENARIO.run_key(spec)).payload["metrics"] for spec in SPECS}  # type: ignore[union-attr]
    corrupted = shown.groups > 0
    assert corrupted.sum() == 60
    for name in ("retrain", "etd"):
        found = x.modes(shown, name)
        right = shown.predicted(name) == shown.clean
        assert right[corrupted].mean() == pytest.approx(metrics[name]["healed"])
        wrong_before = corrupted & (shown.predicted("original") != shown.clean)
        assert np.array_equal(found["healed"] | found["still wrong"], wrong_before)
        assert not (found["healed"] & found["still wrong"]).any()
        assert not (found["broken"] & corrupted).any()
        assert (shown.groups[found["missed"]] == 2).all()
        assert (shown.predicted(name) == shown.given)[found["missed"]].all()
        frame = x.table(shown, name)
        assert len(frame) == len(shown)
        for mode, which in found.items():
            assert np.array_equal(frame["highlight"].str.contains(mode).to_numpy(), which), mode


def test_losses_are_those_of_the_given_labels(store: Store, shown: x.Examples) -> None:
    import torch

    logits = torch.from_numpy(store.arrays(SCENARIO.original_key, "logits")["train"])
    expected = torch.nn.functional.cross_entropy(logits.double(), torch.from_numpy(shown.given), reduction="none")
    assert np.allclose(shown.loss("original"), expected.numpy(), atol=1e-3)


def test_focus_is_selection_and_highlight_together() -> None:
    one, two = np.array([True, True, False]), np.array([False, True, True])
    assert x.together(None, None) is None
    assert x.together(one, None) is one
    assert x.together(None, two) is two
    assert x.together(one, two).tolist() == [False, True, False]  # type: ignore[union-attr]
    assert "**1 of 3** examples in focus (2 selected ∩ 2 healed)" in x.in_focus(3, one, two, "healed")
    assert "All 3" in x.in_focus(3, None, None, "all")


def test_a_sample_holds_what_is_stored_of_it(store: Store, shown: x.Examples) -> None:
    import torch

    found = e.stored_embedding(store, SCENARIO, SPECS, "umap")
    index = int(np.flatnonzero(shown.groups == 1)[0])
    sample = x.inspect(store, SCENARIO, SPECS, shown, found, index)
    assert (sample.group, sample.kind) == ("discovered", "trigger")
    assert not np.array_equal(sample.before, sample.after)
    assert set(sample.neighbours) == {"original", "etd", "retrain"}
    for model in ("original", "etd", "retrain"):
        assert np.array_equal(sample.probabilities[model], shown.probabilities[model][index])
    # Only example-tied dropout leaves redirect channels here; the mean of its last layer is that of its features.
    assert set(sample.redirect["method"]) == {"etd"}
    model, data = model_of(store, SCENARIO, SPECS[1]), scenario_data(SCENARIO).train
    with torch.no_grad():
        features = model.features(data.batch(torch.tensor([index])), torch.ones(1, model.redirect_channels))
    last = sample.redirect.iloc[-1]
    assert last["redirect"] == pytest.approx(float(features[0, model.hidden[-1] :].mean()), abs=1e-5)
    with pytest.raises(IndexError):
        x.inspect(store, SCENARIO, SPECS, shown, found, len(shown))
    assert x.inspect(store, SCENARIO, SPECS, shown, None, index).neighbours == {}
