"""Margins against oracles: divergences by hand, and models that are near or far on purpose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unlearn_core.errors import UserError
from unlearn_core.evaluation.margins import FLOOR, binned_divergence, divergence, margin_gap, normal_divergence
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.margins import margin_frame
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.margins import plan_margins
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter


def test_two_bins_by_hand() -> None:
    """Unlearned {0, 0, 1, 1} against {0, 1, 1, 1}: ½ ln(½ / ¼) + ½ ln(½ / ¾) = 0.144; with the arguments swapped 0.131."""
    unlearned, oracle = np.array([0.0, 0, 1, 1]), np.array([0.0, 1, 1, 1])
    assert binned_divergence(unlearned, oracle, bins=2) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3), abs=1e-9)
    assert binned_divergence(unlearned, oracle, bins=2) == pytest.approx(0.144, abs=5e-4)
    assert binned_divergence(oracle, unlearned, bins=2) == pytest.approx(0.131, abs=5e-4)
    assert binned_divergence(oracle, oracle) == 0.0
    assert binned_divergence(np.ones(3), np.ones(3)) == 0.0
    far = binned_divergence(np.array([5.0, 5]), np.array([0.0, 0]), bins=2)
    assert far == pytest.approx(np.log(1 / 1e-5))  # an empty bin of the oracle's is not infinitely far
    assert binned_divergence(np.array([500.0]), np.array([100.0])) == 0.0  # clipped alike


def test_normals_by_hand() -> None:
    one = np.ones(1)
    assert normal_divergence(one, one, 0 * one, one) == pytest.approx(0.5)
    assert normal_divergence(0 * one, one, 0 * one, one) == pytest.approx(0.0)
    assert normal_divergence(0 * one, 2 * one, 0 * one, one) == pytest.approx(np.log(0.5) + 2 - 0.5)
    assert normal_divergence(FLOOR * one, 0 * one, 0 * one, 0 * one) == pytest.approx(0.5)  # no deviation is below the floor


def test_the_number_of_models_decides_what_is_told() -> None:
    random = np.random.default_rng(0)
    far, near = random.normal(3, 1, (40, 5)), random.normal(0, 1, (40, 5))
    assert margin_gap(far, near) == pytest.approx(3, abs=0.6)
    assert divergence(far[:3], near[:3]) is None
    by_normals, by_bins = divergence(far[:20], near[:20]), divergence(far, near)
    assert by_normals is not None
    assert by_bins is not None
    assert by_normals.mean() == pytest.approx(4.5, rel=0.4)
    assert by_bins.min() > 1.0
    same = divergence(near, near)
    assert same is not None
    assert same.max() == 0.0


def test_an_oracle_is_near_and_the_original_far_on_the_forget_set(tmp_path: Path) -> None:
    scenario = make_scenario("digits", regularity=0.0, discovery=0.5, overrides={"training.epochs": 10, "model.width": 8})
    specs = [make_method(name, scenario, more) for name, more in (("oracle_retrain", {}), ("finetune", {"epochs": 1}))]
    store, models = Store.open(tmp_path), 2
    stages = plan_margins(scenario, specs, models)
    assert len(stages) == 1 + models * (1 + len(specs))
    for stage in stages:
        run_stage(stage, store, "cpu", SilentReporter())
    frame = margin_frame(store, scenario, specs, models)
    gap = frame.set_index(["method", "group"])["gap"]
    assert gap["original", "forget"] > 2 * gap["oracle_retrain", "forget"]
    assert gap["finetune", "forget"] > 1.5 * gap["oracle_retrain", "forget"]
    assert gap["original", "test"] < gap["original", "forget"]
    assert (frame["gap_p95"] >= frame["gap"]).all()
    assert set(frame["models"]) == {models}
    assert frame["divergence"].isna().all()
    assert margin_frame(store, scenario, specs, models + 1).empty  # not for every seed
    keys = {stage.key for stage in plan_margins(scenario.at_rate(1.0), specs, models) if stage.kind == "margin_pair"}
    assert keys == {stage.key for stage in stages if stage.kind == "margin_pair"}


def test_what_cannot_be_compared_is_said() -> None:
    for count in (0, 101):
        with pytest.raises(UserError, match="1 to 100 models"):
            plan_margins(make_scenario("blobs"), [], count)
