"""Inside a stored run: activations, effect sizes, strengths that end at the stored numbers, changed parameters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unlearn_core.models import build_model, registry
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import model_of
from unlearn_core.specs import MethodSpec, ModelSpec, Scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.channels import data as channels_data
from unlearn_core.views.channels import strength
from unlearn_core.views.channels.changes import changes, most_changed

Run = tuple[Store, Scenario, MethodSpec]
METHODS = ("rem", "etd")
SHORT = {
    "waves": {"training.epochs": 3},
    "digits": {"training.epochs": 2},
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Store, Scenario]]:
    made = {}
    for dataset, overrides in SHORT.items():
        store, scenario = Store.open(tmp_path_factory.mktemp(dataset)), make_scenario(dataset, overrides=overrides)
        for stage in plan_runs(scenario, [short(name, scenario) for name in (*METHODS, "finetune")]):
            run_stage(stage, store, "cpu", SilentReporter())
        made[dataset] = store, scenario
    return made


def short(name: str, scenario: Scenario) -> MethodSpec:
    return make_method(name, scenario, {"epochs": 2})


@pytest.fixture(params=[(d, m) for d in SHORT for m in METHODS], ids=lambda p: "-".join(p))
def run(request: pytest.FixtureRequest, stores: dict[str, tuple[Store, Scenario]]) -> Run:
    dataset, method = request.param
    store, scenario = stores[dataset]
    return store, scenario, short(method, scenario)


@pytest.fixture
def opened(run: Run) -> channels_data.Opened:
    return channels_data.open_run(*run)


def test_strength_zero_gives_the_stored_numbers_to_the_bit(run: Run, opened: channels_data.Opened) -> None:
    store, scenario, spec = run
    assert strength.strength_mask(opened, 0) is None
    found = strength.numbers(opened, 0)
    stored = store.get(scenario.run_key(spec)).payload["metrics"]
    assert {name: found[name] for name in strength.METRICS} == {name: stored[name] for name in strength.METRICS}
    assert found["as_given_discovered"] == stored["forget_accuracy"]
    data = opened.data.train
    logits = strength.batch_logits(opened, data.batch, data.eval_batches(torch.arange(len(data))), None)
    assert torch.equal(logits, torch.from_numpy(store.arrays(scenario.run_key(spec), "logits")["train"]))


def test_strength_one_is_all_channels_on_for_all_examples(opened: channels_data.Opened) -> None:
    data, model = opened.data, opened.model
    with torch.no_grad():
        test = model(data.test.batch(torch.arange(len(data.test))), torch.ones(1, model.redirect_channels))
    right = (test.argmax(1) == data.corrupted.test.labels).float().mean().item()
    assert strength.numbers(opened, 1)["utility"] == pytest.approx(right)


@pytest.mark.parametrize("value", [0, 0.35, 1])
def test_shares_over_all_of_c_are_the_weighted_parts(opened: channels_data.Opened, value: float) -> None:
    frame = strength.frame(opened, value)
    sizes = frame.drop_duplicates("group").set_index("group")["n"]
    assert sizes["discovered"] + sizes["undiscovered"] == sizes["all"]
    for _, part in frame[frame["number"] != "utility"].groupby("number"):
        shares = part.set_index("group")["value"]
        split = shares["discovered"] * sizes["discovered"] + shares["undiscovered"] * sizes["undiscovered"]
        assert split / sizes["all"] == pytest.approx(shares["all"])
    assert frame["value"].between(0, 1).all()


def test_the_same_strength_gives_the_same_numbers_twice(run: Run, opened: channels_data.Opened) -> None:
    again = channels_data.open_run(*run)
    assert strength.curve(opened).equals(strength.curve(again))
    assert strength.curve(opened)["strength"].tolist() == list(strength.STEPS)
    assert opened.channels.equals(again.channels)
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError):
            strength.numbers(opened, bad)


def test_activations_end_in_the_features_of_each_pass(opened: channels_data.Opened) -> None:
    data, model, last = opened.data, opened.model, opened.layers[-1]
    x = data.train.batch(torch.arange(len(data.train)))
    with torch.no_grad():
        off, on = model.features(x), model.features(x, torch.ones(1, model.redirect_channels))
    off, on = (f.reshape(len(x), channels, -1).mean(2) for f, channels in ((off, last.base), (on, last.base + last.redirect)))
    np.testing.assert_allclose(last.mean[:, : last.base], off.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last.mean[:, last.base :], on[:, last.base :].numpy(), rtol=1e-4, atol=1e-5)
    assert [layer.redirect for layer in opened.layers] == list(model.redirect_layers)
    assert not (last.active & (last.mean <= 0)).any() or x.dim() == 4


def test_channels_are_named_and_ranked_by_effect(opened: channels_data.Opened) -> None:
    channels = opened.channels
    assert len(channels) == sum(opened.model.hidden) + opened.model.redirect_channels
    assert channels["effect"].abs().le(1).all()
    best = channels_data.ranked(channels, "redirect")
    assert set(best["kind"]) == {"redirect"}
    assert best["effect"].abs().is_monotonic_decreasing
    row = best.iloc[0]
    frame = channels_data.values(opened, row["layer"], row["channel"])
    assert frame.loc[frame["group"] == "discovered", "activation"].mean() == pytest.approx(row["mean_discovered"], rel=1e-4)
    assert opened.layers[row["layer"] - 1].name(row["channel"]) == row["name"]


def test_top_examples_are_the_highest(opened: channels_data.Opened) -> None:
    frame = channels_data.values(opened, 1, 0)
    top = channels_data.top(frame, 5)
    assert len(top) == min(5, int((frame["activation"] > 0).sum()))
    assert top["activation"].tolist() == sorted(frame["activation"], reverse=True)[: len(top)]
    silent = frame.assign(activation=-1.0)
    assert channels_data.top(silent).empty
    if opened.data.corrupted.train.is_image:
        assert channels_data.images(opened, top["index"].to_numpy())[0].shape == (8, 8)


def test_rank_biserial_is_the_difference_of_the_two_shares() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (7, 3)).astype(float), rng.integers(0, 4, (9, 3)).astype(float)
    expected = [np.sign(a[:, None, k] - b[None, :, k]).mean() for k in range(3)]
    np.testing.assert_allclose(channels_data.rank_biserial(a, b), expected)
    assert channels_data.rank_biserial(a + 9, b).tolist() == [1, 1, 1]
    assert np.isnan(channels_data.rank_biserial(a[:0], b)).all()


def test_cohens_d_counts_pooled_standard_deviations() -> None:
    a, b = np.array([[1.0, 5], [3, 5]]), np.array([[0.0, 5], [2, 5], [4, 5]])
    pooled = ((1 * 2 + 2 * 4) / 3) ** 0.5
    np.testing.assert_allclose(channels_data.cohens_d(a + 1, b), [1 / pooled, 0])
    assert np.isnan(channels_data.cohens_d(a[:1], b)).all()


def test_the_plane_shows_the_model_that_was_stored(stores: dict[str, tuple[Store, Scenario]]) -> None:
    store, scenario = stores["waves"]
    opened = channels_data.open_run(store, scenario, short("rem", scenario))
    grid, chances = strength.boundary(opened, 0, 12)
    assert chances.shape == (12, 12, 3)
    data = opened.data.train
    corner = (torch.tensor([[grid.x[-1], grid.y[0]]], dtype=torch.float32) - data.mean) / data.std
    with torch.no_grad():
        expected = model_of(store, scenario, short("rem", scenario))(corner).softmax(1)[0]
    np.testing.assert_allclose(chances[0, -1], expected.numpy(), rtol=1e-4, atol=1e-6)
    drawn, maps = channels_data.maps(opened, 9)
    assert [m.shape for m in maps] == [(layer.base + layer.redirect, 9, 9) for layer in opened.layers]
    assert drawn.points["x"].between(drawn.x[0], drawn.x[-1]).all()


@pytest.mark.parametrize("name", registry.names())
def test_every_network_shows_its_layers(name: str) -> None:
    shape = {"mlp": (2,), "cnn": (1, 8, 8)}.get(name, (3, 32, 32))
    params = {"width": 0.125} if name in ("resnet9", "resnet18") else {}
    moments = torch.zeros(1), torch.ones(1)
    model = build_model(ModelSpec(name=name, params=params), shape, 3, 0, moments).eval()
    model.widen(0.5, 1)
    layers = channels_data.activations(model, torch.randn(4, *shape))
    assert [layer.base for layer in layers] == list(model.hidden)
    assert all(layer.mean.shape == layer.active.shape == (4, layer.base + layer.redirect) for layer in layers)


def test_a_run_without_redirect_channels_is_not_opened(stores: dict[str, tuple[Store, Scenario]], tmp_path: Path) -> None:
    store, scenario = stores["waves"]
    with pytest.raises(LookupError, match="no redirect channels"):
        channels_data.open_run(store, scenario, short("finetune", scenario))
    with pytest.raises(LookupError):
        channels_data.open_run(Store.open(tmp_path), scenario, short("rem", scenario))


@pytest.mark.parametrize("dataset", list(SHORT))
def test_changes_add_up_to_the_metrics_of_the_run(stores: dict[str, tuple[Store, Scenario]], dataset: str) -> None:
    store, scenario = stores[dataset]
    for name in ("finetune", "rem"):
        spec = short(name, scenario)
        found = changes(store, scenario, spec)
        metrics = store.get(scenario.run_key(spec)).payload["metrics"]
        weights = found.layers["parameters"]
        assert (found.layers["changed"] * weights).sum() / weights.sum() == pytest.approx(metrics["parameters_changed"])
        original = dict(model_of(store, scenario).named_parameters())
        squares = {name: float(p.detach().double().square().sum()) for name, p in original.items()}
        sizes = [sum(v for n, v in squares.items() if n.startswith(f"{layer}.")) for layer in found.layers["layer"]]
        distance = ((found.layers["relative"] ** 2 * sizes).sum() / sum(sizes)) ** 0.5
        assert distance == pytest.approx(metrics["weight_distance"], rel=1e-6)
        assert most_changed(found, 5)["relative"].is_monotonic_decreasing
