"""Linear CKA by hand and by its invariances, the stage's parts and layers, and the layer that the picture names."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from unlearn_core.models import build_model, registry
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import scenario_data
from unlearn_core.specs import ModelSpec
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.similarity.data import linear_cka, most_apart, read_similarity
from unlearn_core.views.similarity.figure import layer_similarity
from unlearn_core.views.similarity.stage import layer_names, plan_similarity, pooled_outputs, sampled_parts

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 6))


def by_quadruples(x: np.ndarray, y: np.ndarray) -> float:
    """HSIC as the mean over all ordered quadruples of different examples: no Gram matrix is centred here."""
    total, count = 0.0, 0
    for a, b, c, d in itertools.permutations(range(len(x)), 4):
        total += float((x[a] @ x[b]) * (y[a] @ y[b] + y[c] @ y[d] - 2 * (y[a] @ y[c])))
        count += 1
    return total / count


def test_it_is_the_mean_over_quadruples() -> None:
    x, y = RANDOM.normal(size=(6, 2)) + 3, RANDOM.normal(size=(6, 2))
    y[:, 0] += x[:, 0]
    expected = by_quadruples(x, y) / (by_quadruples(x, x) * by_quadruples(y, y)) ** 0.5
    assert linear_cka(x, y) == pytest.approx(expected)


def test_two_by_two_by_hand() -> None:
    # Five examples at the corners of a square and in its middle, and the same with one axis left out. Without the diagonals
    # the first Gram matrix is −2 between opposite corners and 0 elsewhere; the second is 1 within and −1 between the sides.
    square = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [0.0, 0.0]])
    flat = square * [1.0, 0.0]
    # U-centred ⟨K, K⟩, ⟨K, L⟩ and ⟨L, L⟩ are ΣK² − 2/(n−2) Σ rowsum² + total²/((n−1)(n−2)): 16 − 32/3 + 64/12,
    # 8 − 16/3 + 32/12 and 12 − 8/3 + 16/12.
    assert linear_cka(square, flat) == pytest.approx((16 / 3) / ((32 / 3) * (32 / 3)) ** 0.5)


def test_rotation_scale_and_shift_change_nothing_and_other_things_do() -> None:
    rotation, _ = np.linalg.qr(RANDOM.normal(size=(6, 6)))
    assert linear_cka(X, X) == pytest.approx(1.0)
    assert linear_cka(X, 3 * X @ rotation + 5) == pytest.approx(1.0)
    assert linear_cka(X, X * [9, 1, 1, 1, 1, 1]) < 0.9  # one axis stretched is no rotation
    other = RANDOM.normal(size=(40, 6))
    assert linear_cka(X @ rotation, other) == pytest.approx(linear_cka(X, other))


def test_noise_is_unrelated_whatever_the_number_of_examples() -> None:
    values = [linear_cka(RANDOM.normal(size=(n, 64)), RANDOM.normal(size=(n, 64))) for n in (12, 40, 200) for _ in range(20)]
    assert abs(float(np.mean(values))) < 0.05  # the plain estimate of 12 examples with 64 features would be about .85
    assert linear_cka(X.astype(np.float32) + 1e4, X) == pytest.approx(1.0, abs=1e-3)


def test_constant_activations_have_none() -> None:
    assert np.isnan(linear_cka(np.full((20, 3), 0.1, np.float32), X[:20]))
    with pytest.raises(ValueError, match="3 and 3 examples"):
        linear_cka(X[:3], X[:3])


@pytest.mark.parametrize("name", registry.names())
def test_every_network_gives_the_outputs_of_its_base(name: str) -> None:
    shape = {"mlp": (2,), "cnn": (1, 8, 8)}.get(name, (3, 32, 32))
    params = {"width": 0.125} if name in ("resnet9", "resnet18") else {}
    model = build_model(ModelSpec(name=name, params=params), shape, 3, 0, (torch.zeros(1), torch.ones(1))).eval()
    inputs = torch.randn(4, *shape)
    before = pooled_outputs(model, inputs)
    assert len(before) > len(model.hidden)
    assert {len(one) for one in before} == {4}
    assert before[-1] == pytest.approx(model(inputs).detach().numpy())
    model.widen(0.5, 1)
    after = pooled_outputs(model, inputs)  # redirect channels are off, as in a healed model
    assert [one.shape for one in after] == [one.shape for one in before]
    assert all(np.allclose(ours, theirs, atol=1e-5) for ours, theirs in zip(before, after, strict=True))
    assert layer_names(model, len(after))[0] == ("layer 1" if len(after) == len(model.hidden) + 1 else "place 1")


@pytest.mark.parametrize("known", [True, False])
def test_undiscovered_is_a_part_only_where_the_truth_is_known(known: bool) -> None:
    scenario = make_scenario("blobs", regularity=0.5, discovery=0.5, amount=60)
    data = scenario_data(scenario)
    forget = data.corrupted.truth.forget_of(scenario)
    if not known:
        scenario = make_scenario("blobs", overrides={"corruption.found": True}).knowing(tuple(forget.tolist()))
        data = scenario_data(scenario)
    parts = sampled_parts(scenario, data)
    assert set(parts) == {"forget", "retain"} | ({"undiscovered"} if known else set())
    assert parts["forget"].tolist() == forget.tolist()
    assert len(parts["retain"]) == 512
    assert not set(parts["retain"].tolist()) & set(forget.tolist())


def test_the_stage_compares_every_layer_and_an_untouched_model_is_alike(tmp_path: Path) -> None:
    scenario = make_scenario("blobs", regularity=0.0, discovery=0.5, amount=100, overrides={"training.epochs": 8})
    specs = [make_method("finetune", scenario, {"epochs": 1}), make_method("retrain", scenario, {})]
    store = Store.open(tmp_path)
    for stage in [*plan_runs(scenario, specs), *(plan_similarity(scenario, spec) for spec in specs)]:
        run_stage(stage, store, "cpu", SilentReporter())
    tuned, anew = (read_similarity(store, plan_similarity(scenario, spec).key) for spec in specs)
    assert list(dict.fromkeys(tuned["layer"])) == ["layer 1", "layer 2", "layer 3", "logits"]
    assert set(tuned["part"]) == {"forget", "undiscovered", "retain"}
    assert tuned["cka"].min() > 0.8
    assert tuned["cka"].mean() > anew["cka"].mean()
    with pytest.raises(LookupError):
        read_similarity(store, "nothing")


def frame(forget: list[float], retain: list[float]) -> pd.DataFrame:
    rows = [("forget", 40, forget), ("retain", 512, retain)]
    return pd.DataFrame(
        [[f"layer {k + 1}", part, count, value] for part, count, values in rows for k, value in enumerate(values)],
        columns=["layer", "part", "examples", "cka"],
    )


def test_the_picture_names_the_layer_that_changed_most_for_the_forget_set() -> None:
    found = frame([0.9, 0.3, 0.2], [0.95, 0.9, 0.5])
    assert most_apart(found) == ("layer 2", 0.3, 0.9)
    picture = layer_similarity(found, "REM")
    assert "REM changed layer 2 most for the forget set against the retain set (CKA 0.30 against 0.90)" in picture.caption
    assert [trace.name for trace in picture.figure.data] == ["forget set (40)", "retain set (512)"]


def test_it_names_none_where_nothing_parts_or_nothing_is_known() -> None:
    assert most_apart(frame([0.9, 0.9], [0.8, 0.9])) is None
    assert "no layer clearly less alike" in layer_similarity(frame([0.9, 0.89], [0.8, 0.9]), "REM").caption
    alone = frame([0.9], [0.8])
    assert "fewer than 10 examples" in layer_similarity(alone[alone["part"] == "retain"], "REM").caption
    assert most_apart(frame([float("nan"), 0.5], [0.9, 0.9])) == ("layer 2", 0.5, 0.9)
