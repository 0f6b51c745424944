"""Edited forget sets: exactly these examples, old keys as they were; what a method reports is stored with its run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from unlearn_core.canonical import content_key
from unlearn_core.errors import UserError
from unlearn_core.evaluation import build_scenario_data, load_scenario_data
from unlearn_core.methods import Method, UnlearningTask, registry
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import tables
from unlearn_core.results.reader import GROUPS, groups_of
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.inputs import make_task
from unlearn_core.stages.regularity import plan_regularity
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import Reporter, SilentReporter
from unlearn_core.views.heatmap.tasks import Cell, at

CPU = torch.device("cpu")


def scenario(**options: Any) -> Scenario:
    return make_scenario("blobs", regularity=0.0, amount=20, discovery=0.5, overrides={"training.epochs": 3}, **options)


def run(store: Store, task: Scenario, *names: str) -> list[str]:
    """The keys of these methods, computed."""
    specs = [make_method(name, task) for name in names]
    for stage in plan_runs(task, specs):
        if not store.has([stage.key]):
            run_stage(stage, store, "cpu", SilentReporter())
    return [task.run_key(spec) for spec in specs]


@pytest.mark.parametrize("options", [{}, {"dataset": "waves", "discovery": 0.5, "seed": 3}, {"regularity": 0.5, "amount": 40}])
def test_keys_from_before_there_were_edited_sets_have_not_changed(options: dict[str, Any]) -> None:
    made = make_scenario(**options)
    fields = ("dataset", "corruption", "discovery", "model", "training", "seed")
    before = {name: getattr(made, name) for name in fields}
    assert made.key == content_key("Scenario", before)
    rem = make_method("rem", made)
    assert made.run_key(rem) == content_key("run", before, rem)


def test_an_edited_set_has_a_key_of_its_own_that_no_rate_and_no_order_changes() -> None:
    base = scenario()
    edited = base.knowing([9, 3, np.int64(5)])
    assert edited.forget == (3, 5, 9)
    assert edited == base.at_rate(0.1).knowing([3, 5, 9])
    assert edited.key not in {base.key, base.knowing([3, 5, 8]).key}
    assert (edited.original_key, edited.corruption_key) == (base.original_key, base.corruption_key)
    assert Scenario.model_validate_json(edited.model_dump_json()) == edited
    assert edited.at_rate(0.5) == base
    assert at(edited, Cell(1.0, 0.3), 2).forget is None


@pytest.mark.parametrize(
    ("indices", "sentence"),
    [([], "at least one"), ([4, 4], "training example 4 is named twice"), ([-1], "numbered from 0"),
     ([1.5], "must be a whole number"), (["x"], "must be a whole number"), ("12", "a list of training indices")],
)  # fmt: skip
def test_what_is_no_set_is_said(indices: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        scenario().knowing(indices)
    assert "\n" not in str(caught.value)


def test_a_set_must_fit_the_data() -> None:
    size = len(build_scenario_data(scenario(), CPU).train)
    spec = make_method("rem", scenario())
    with pytest.raises(UserError, match=f"no training example {size}: the training set has"):
        plan_runs(scenario().knowing([0, size]), [spec])
    with pytest.raises(UserError, match="too many for a forget set"):
        plan_runs(scenario().knowing(range(size // 2 + 1)), [spec])
    assert plan_runs(scenario().at_rate(0).knowing([0]), [spec])


def test_methods_get_exactly_the_edited_set_and_healing_is_measured_on_all_of_c(tmp_path: Path) -> None:
    store, base = Store.open(tmp_path), scenario()
    truth = load_scenario_data(base, CPU).corrupted.truth
    clean = next(k for k in range(1000) if k not in set(truth.corrupted.tolist()))
    chosen = sorted([*truth.corrupted[:4].tolist(), clean])
    edited = base.knowing(chosen)
    (first,) = run(store, base, "finetune")
    (second,) = run(store, edited, "finetune")
    task = make_task(store, edited, load_scenario_data(edited, CPU))
    assert task.forget.tolist() == chosen
    assert len(task.retain) == len(task.data) - 5
    assert not set(task.retain.tolist()) & set(chosen)
    counts = np.bincount(groups_of(edited), minlength=len(GROUPS))
    assert dict(zip(GROUPS, counts.tolist(), strict=True))["discovered"] == 4
    assert counts[1:].sum() == 20
    metrics = store.get(second).payload["metrics"]
    assert metrics["healed_discovered"] * 4 == pytest.approx(round(metrics["healed_discovered"] * 4))
    assert metrics["healed"] * 20 == pytest.approx(metrics["healed_discovered"] * 4 + metrics["healed_undiscovered"] * 16)
    assert tables.original_metrics(store, edited)["healed"] == tables.original_metrics(store, base)["healed"]
    # Off the plane of regularity and discovery: the tables of tasks give it a row without a discovery rate.
    listed = tables.results(store).set_index("key")["discovery"]
    assert listed[first] == base.discovery
    assert np.isnan(listed[second])
    assert tables.comparison(store, edited, [make_method("finetune", edited)])["key"].tolist()[-1] == second
    regularity = plan_regularity(edited)[0]
    assert regularity.key == plan_regularity(base)[0].key


class Telling(Method):
    name, label, paper, family, summary = "dummy_telling", "Telling", "nobody", "fine-tuning", "Reports what it found. Always."

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        task.original.report = {"discovery": {"state": "clean", "doubt": float("nan")}}  # type: ignore[assignment]
        task.original.report_arrays = {"probability": np.array([0.5, np.nan]), "suspects": torch.tensor([3, 1])}  # type: ignore[assignment]
        return task.original.eval()


@pytest.fixture
def _telling() -> Iterator[None]:
    registry.register(Telling)
    yield
    registry.remove(Telling.name)


@pytest.mark.usefixtures("_telling")
def test_what_a_method_reports_is_stored_and_nothing_where_it_does_not(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    telling, quiet = run(store, scenario(), "dummy_telling", "jit")
    record = store.get(telling)
    assert record.payload["report"] == {"discovery": {"state": "clean", "doubt": None}}
    arrays = store.arrays(telling, "report")
    assert np.array_equal(arrays["probability"], [0.5, np.nan], equal_nan=True)
    assert arrays["suspects"].tolist() == [3, 1]
    other = store.get(quiet)
    assert "report" not in other.payload
    assert "report" not in other.arrays


def test_discovery_is_stored_with_its_run(tmp_path: Path, quick: Callable[[str], dict[str, Any]]) -> None:
    store, base = Store.open(tmp_path), scenario()
    spec = make_method("rem_discover", base, quick("rem_discover") | {"epochs": 2})
    for stage in plan_runs(base, [spec]):
        run_stage(stage, store, "cpu", SilentReporter())
    key, size = base.run_key(spec), len(load_scenario_data(base, CPU).train)
    assert {"state", "sentence", "rounds"} <= set(store.get(key).payload["report"]["discovery"])
    arrays = store.arrays(key, "report")
    assert {"probability", "fused", "says", "suspects"} <= set(arrays)
    assert arrays["says"].shape == arrays["probability"].shape == (size,)
    assert not set(arrays["suspects"].tolist()) & set(load_scenario_data(base, CPU).corrupted.truth.forget_of(base).tolist())
