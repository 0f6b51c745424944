"""Stored models compute again what was stored of them; rounds lead from the original to the result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import GROUPS, groups_of, model_of, rounds_of, scenario_data
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter, predict

SCENARIO = make_scenario("waves", amount=60, discovery=0.5, overrides={"training.epochs": 2})
SPECS = [make_method(name, SCENARIO) for name in ("rem", "finetune", "etd")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store.open(tmp_path_factory.mktemp("store"))
    for stage in plan_runs(SCENARIO, SPECS):
        run_stage(stage, made, "cpu", SilentReporter())
    return made


@pytest.mark.parametrize("spec", [None, *SPECS], ids=lambda spec: "original" if spec is None else spec.name)
def test_a_stored_model_computes_its_stored_outputs(store: Store, spec: object) -> None:
    key = SCENARIO.original_key if spec is None else SCENARIO.run_key(spec)
    again = predict(model_of(store, SCENARIO, spec), scenario_data(SCENARIO).train)
    assert torch.equal(again, torch.from_numpy(store.arrays(key, "logits")["train"]))


def test_rounds_end_with_the_result_and_start_with_the_original(store: Store) -> None:
    for spec in SPECS:
        rounds = rounds_of(store, SCENARIO, spec)
        assert rounds
        assert rounds[0] >= 1
        last, result = model_of(store, SCENARIO, spec, rounds[-1]), model_of(store, SCENARIO, spec)
        data = scenario_data(SCENARIO).train
        assert torch.equal(predict(last, data), predict(result, data)), spec.name
    start = model_of(store, SCENARIO, SPECS[0], 0).state_dict()
    assert all(torch.equal(value, start[name]) for name, value in model_of(store, SCENARIO).state_dict().items())


def test_groups_add_up_and_what_is_not_stored_is_said(store: Store, tmp_path: Path) -> None:
    groups = groups_of(SCENARIO)
    assert np.bincount(groups, minlength=3)[1:].tolist() == [30, 30]
    assert GROUPS[0] == "clean"
    with pytest.raises(LookupError):
        model_of(store, SCENARIO, SPECS[0], 999)
    with pytest.raises(LookupError):
        model_of(Store.open(tmp_path), SCENARIO, SPECS[0])
    assert rounds_of(Store.open(tmp_path), SCENARIO, SPECS[0]) == []
