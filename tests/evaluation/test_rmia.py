"""RMIA: ratios by hand, an attack that succeeds and fails where it must, and the stage that makes it possible."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_membership import evidence

from unlearn_core.evaluation import OutsideView, measure
from unlearn_core.evaluation.rmia import likelihood_ratio, rmia_scores
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import tables
from unlearn_core.store import Store

NAMES = ("rmia_auc", "rmia_tpr_at_1_fpr")


def test_ratios_and_scores_by_hand() -> None:
    ratio = likelihood_ratio(np.array([0.9, 0.9]), np.array([0.0, 1.0]))
    np.testing.assert_allclose(ratio, [0.9 / 0.35, 0.9 / 1.0])
    np.testing.assert_allclose(rmia_scores(np.array([2.0, 1.9, 9.0]), np.array([1.0, 1.0, 4.0, 4.0])), [0.5, 0.0, 1.0])


def test_what_only_the_model_knows_is_recognised() -> None:
    """F was remembered, and models that never saw it think little of its labels; strangers surprise both alike."""
    remembered, forgotten = evidence(True), evidence(False)
    strangers = remembered.logits.test.softmax(1).amax(1)
    outside = OutsideView(torch.full((200,), 0.5), strangers)
    known, unknown = (measure(dataclasses.replace(e, outside=outside), NAMES) for e in (remembered, forgotten))
    assert known["rmia_auc"] > 0.85 > unknown["rmia_auc"]
    assert known["rmia_tpr_at_1_fpr"] > unknown["rmia_tpr_at_1_fpr"]


def test_the_score_falls_with_the_model_s_belief_whatever_the_reference_models_say() -> None:
    shown, given = evidence(True), evidence(True).corrupted.train.labels
    outside = OutsideView(torch.rand(200, generator=torch.Generator().manual_seed(1)), shown.logits.test.softmax(1).amax(1))
    values = []
    for penalty in (0.0, 4.0, 8.0, 30.0):
        train = shown.logits.train.clone()
        train[shown.forget, given[shown.forget]] -= penalty
        logits = dataclasses.replace(shown.logits, train=train)
        values.append(measure(dataclasses.replace(shown, logits=logits, outside=outside), NAMES))
    for name in NAMES:
        assert [v[name] for v in values] == sorted((v[name] for v in values), reverse=True)
    assert values[-1]["rmia_auc"] < 0.05 < 0.8 < values[0]["rmia_auc"]


def test_without_reference_models_there_is_no_value() -> None:
    assert set(measure(evidence(True), NAMES).values()) == {None}


def test_reference_models_serve_every_method_and_rate(tmp_path: Path) -> None:
    from unlearn_core.stages.execution import run_stage
    from unlearn_core.stages.reference_models import plan_reference_models
    from unlearn_core.stages.unlearn import plan_runs

    def scenario(discovery: float) -> Any:
        return make_scenario("blobs", regularity=0.0, discovery=discovery, seed=0, overrides={"training.epochs": 8})

    class Quiet:
        def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None: ...

        def cancelled(self) -> bool:
            return False

    assert plan_reference_models(scenario(0.3))[0].key == plan_reference_models(scenario(1.0))[0].key
    store = Store.open(str(tmp_path))
    here = scenario(0.5)
    spec = make_method("finetune", here, {"epochs": 1})
    for stage in plan_runs(here, [spec]):
        run_stage(stage, store, "cpu", Quiet())
    stored = store.get(here.run_key(spec)).payload
    assert tables.run_metrics(store, here, spec, stored)["rmia_auc"] is None
    run_stage(plan_reference_models(here)[0], store, "cpu", Quiet())
    values = tables.run_metrics(store, here, spec, stored)
    assert 0 <= values["rmia_auc"] <= 1
    assert 0 <= values["rmia_tpr_at_1_fpr"] <= 1
    assert tables.original_metrics(store, here)["rmia_auc"] == pytest.approx(values["rmia_auc"], abs=0.5)
