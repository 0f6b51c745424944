"""Stages: what they compute, twice the same; methods that fail fail alone, with a cause one can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from unlearn_core.cli.sweep import plan_stages
from unlearn_core.engine import Engine
from unlearn_core.errors import UserError
from unlearn_core.methods import Method, UnlearningTask, registry
from unlearn_core.models.mlp import MlpNet
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.specs import SweepSpec
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.recorder import MAX_ROUNDS, Recorder
from unlearn_core.stages.regularity import plan_regularity
from unlearn_core.stages.stage import Stage
from unlearn_core.stages.unlearn import plan_runs, share_models
from unlearn_core.store import Store
from unlearn_core.training import Reporter, SilentReporter

QUICK = {"training.epochs": 5}


def scenario(**options: Any) -> Any:
    return make_scenario("blobs", regularity=0.0, discovery=0.5, overrides=QUICK, **options)


class Raising(Method):
    name, label, paper, family, summary = "dummy_raising", "Raising", "nobody", "fine-tuning", "Raises. Always."

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        raise RuntimeError("no luck today")


class Diverging(Method):
    name, label, paper, family, summary = "dummy_diverging", "Diverging", "nobody", "fine-tuning", "Diverges. Always."

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        with torch.no_grad():
            next(task.original.parameters()).fill_(float("nan"))
        return task.original.eval()


class WrongShape(Method):
    name, label, paper, family, summary = "dummy_shape", "Wrong shape", "nobody", "fine-tuning", "Wrong. Always."

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        return MlpNet(2, 4, 1, task.data.classes + 2).eval()


class NoModel(Method):
    name, label, paper, family, summary = "dummy_no_model", "No model", "nobody", "fine-tuning", "Returns text. Always."

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> Any:
        return "healed, honest"


@pytest.fixture
def _broken() -> Iterator[None]:
    parts = (Raising, Diverging, WrongShape, NoModel)
    for part in parts:
        registry.register(part)
    yield
    for part in parts:
        registry.remove(part.name)


@pytest.mark.usefixtures("_broken")
def test_broken_methods_fail_alone_and_say_why(tmp_path: Path) -> None:
    task = scenario()
    names = ["dummy_raising", "dummy_diverging", "dummy_shape", "dummy_no_model", "finetune"]
    store = Store.open(tmp_path)
    engine = Engine(store, address="inline")
    view = engine.wait(engine.submit(plan_runs(task, [make_method(name, task) for name in names]), "broken"), timeout=60)
    engine.close()
    by_title = {stage.title: stage for stage in view.stages}
    assert by_title["Fine-tune"].state == "done"
    causes = {"Raising": "no luck today", "Diverging": "not finite", "Wrong shape": "shape", "No model": "instead of a model"}
    for title, cause in causes.items():
        assert by_title[title].state == "failed"
        assert cause in by_title[title].message
        assert "\n" not in by_title[title].message
        assert store.get(by_title[title].key) is None
        failure = store.failure(by_title[title].key)
        assert failure is not None
        assert cause in failure.message


def test_the_same_spec_twice_gives_the_same_numbers_to_the_last_bit(tmp_path: Path) -> None:
    task = make_scenario("digits", regularity=0.5, discovery=0.5, overrides={"training.epochs": 3})
    stages = plan_runs(task, [make_method("rem", task, {"epochs": 2}), make_method("npo", task, {"passes": 2})])
    stores = [Store.open(tmp_path / name) for name in ("one", "two")]
    for store in stores:
        for stage in stages:
            run_stage(stage, store, "cpu", SilentReporter())
        torch.rand(11)
    for stage in stages:
        one, two = (store.get(stage.key) for store in stores)
        assert one is not None
        assert two is not None
        assert one.environment["device"] == "cpu"
        assert {"python", "torch", "numpy", "scikit-learn"} <= set(one.environment)
        assert one.spec["scenario"]["seed"] == task.seed
        assert (stage.kind == "run") == ("params" in one.spec.get("method", {}))
        drop = {"seconds"}
        if stage.kind == "run":
            metrics = [{k: v for k, v in record.payload["metrics"].items() if k not in drop} for record in (one, two)]
            assert metrics[0] == metrics[1]
            assert one.payload["trajectory"] == two.payload["trajectory"]
        for name in ("logits", "weights"):
            a, b = (store.arrays(stage.key, name) for store in stores)
            assert all(np.array_equal(a[key], b[key]) for key in a)


def test_what_cannot_run_is_said_before_anything_is_computed() -> None:
    nothing = scenario().model_copy(update={"discovery": 0.0})
    with pytest.raises(UserError, match="needs a forget set"):
        plan_runs(nothing, [make_method("rem", nothing)])
    assert len(plan_runs(nothing, [make_method("oracle_retrain", nothing)])) == 2
    with pytest.raises(UserError, match="finds none"):
        plan_runs(make_scenario(discovery=0.001), [])
    with pytest.raises(UserError, match="at most 40%"):
        plan_runs(make_scenario(regularity=0.5, amount=300), [])
    with pytest.raises(UserError, match="no stage called"):
        run_stage(Stage("dream", "0" * 16, "Dream", {}), None, "cpu", SilentReporter())  # type: ignore[arg-type]


def test_the_original_is_planned_once_for_all_methods_and_rates() -> None:
    specs = [make_method(name, scenario()) for name in ("rem", "retrain")]
    keys = {
        s.key
        for rate in (0.2, 0.9)
        for s in plan_runs(scenario().model_copy(update={"discovery": rate}), specs)
        if s.kind == "original"
    }
    assert len(keys) == 1


def test_what_searches_is_expected_to_take_longer_than_training_and_that_longer_than_repairing() -> None:
    task = scenario()
    names = ["rem_discover", "rem_tuned", "retrain", "oracle_retrain", "eu_k", "finetune"]
    original, *runs = plan_runs(task, [make_method(name, task) for name in names])
    weight = dict(zip(names, (stage.weight for stage in runs), strict=True))
    assert min(weight["rem_discover"], weight["rem_tuned"]) > 3 * weight["retrain"]
    assert weight["retrain"] == weight["oracle_retrain"] == original.weight > weight["eu_k"] == weight["finetune"]


def test_measured_regularity_tells_noise_from_pattern(tmp_path: Path) -> None:
    store, values = Store.open(tmp_path), []
    for regularity in (0.0, 1.0):
        task = make_scenario("blobs", regularity=regularity, overrides={"training.epochs": 40})
        (stage,) = plan_regularity(task)
        run_stage(stage, store, "cpu", SilentReporter())
        record = store.get(stage.key)
        assert record is not None
        assert record.payload["n"] == 36
        values.append(record.payload["measured"])
    assert values[0] < 0.3
    assert values[1] > 0.8


def test_the_recorder_keeps_a_bounded_number_of_rounds_and_always_the_last() -> None:
    recorder, model = Recorder(SilentReporter()), nn.Linear(2, 2)
    for number in range(1, 102):
        with torch.no_grad():
            model.weight.fill_(number)
        recorder.snapshot(model)
        rounds = [k for k, _ in recorder.rounds]
        assert len(rounds) <= MAX_ROUNDS + 1
        assert rounds[-1] == number
        assert rounds == sorted(set(rounds))
    assert all(state["weight"][0, 0] == number for number, state in recorder.rounds)
    assert recorder.overhead > 0


@pytest.mark.parametrize("name", ["oracle_retrain", "etd"])
def test_a_model_that_no_forget_set_changes_is_computed_once_and_measured_the_same(name: str, tmp_path: Path) -> None:
    at = {rate: make_scenario("waves", discovery=rate, overrides={"training.epochs": 3}) for rate in (0.3, 0.7)}
    plan = [stage for scenario in at.values() for stage in plan_runs(scenario, [make_method(name, scenario)])]
    alone, sharing = Store.open(str(tmp_path / "alone")), Store.open(str(tmp_path / "sharing"))
    stages = share_models(list({stage.key: stage for stage in plan}.values()))
    assert [stage.key for stage in stages] == list(dict.fromkeys(stage.key for stage in plan))
    assert stages[1].key in stages[2].needs
    for store, todo in ((alone, plan), (sharing, stages)):
        for stage in todo:
            if store.get(stage.key) is None:
                run_stage(stage, store, "cpu", SilentReporter())
    taken, first = (sharing.get(stage.key) for stage in (stages[2], stages[1]))
    computed = alone.get(stages[2].key)
    assert taken is not None
    assert first is not None
    assert computed is not None
    assert taken.payload["seconds"] == first.payload["seconds"]
    timeless = [{k: v for k, v in r.payload.items() if k not in ("seconds", "metrics")} for r in (taken, computed)]
    assert timeless[0] == timeless[1]
    measured = [{k: v for k, v in r.payload["metrics"].items() if k != "seconds"} for r in (taken, computed)]
    assert measured[0] == measured[1]
    for part in ("weights", "logits", "snapshots"):
        ours, theirs = sharing.arrays(taken.key, part), alone.arrays(computed.key, part)
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[k], theirs[k]) for k in ours)


def test_without_its_twin_such_a_run_computes_its_model_itself(tmp_path: Path) -> None:
    at = [make_scenario("waves", discovery=rate, overrides={"training.epochs": 2}) for rate in (0.3, 0.7)]
    plan = [stage for scenario in at for stage in plan_runs(scenario, [make_method("oracle_retrain", scenario)])]
    stages = share_models(list({stage.key: stage for stage in plan}.values()))
    store = Store.open(str(tmp_path))
    for stage in (stages[0], stages[2]):
        run_stage(stage, store, "cpu", SilentReporter())
    assert store.get(stages[2].key) is not None


def test_a_sweep_shares_such_models_and_no_others() -> None:
    plan = {"dataset": "waves", "regularity": [0.5], "discovery": [0.3, 0.7], "seeds": [0], "methods": ["etd", "rem"]}
    runs = [stage for stage in plan_stages(SweepSpec.parse(plan)) if stage.kind == "run"]
    one, two = (stage for stage in runs if stage.payload["method"]["name"] == "etd")
    assert one.key in two.needs
    assert all(len(stage.needs) == 1 for stage in runs if stage is not two)


def test_bfloat16_has_keys_and_numbers_of_its_own_in_training_and_in_methods(tmp_path: Path) -> None:
    store, weights = Store.open(tmp_path), []
    told = [{}, {"training.precision": "bfloat16"}, {"training.precision": "usual"}]
    scenarios = [make_scenario("blobs", overrides=QUICK | more) for more in told]
    assert scenarios[0].key == scenarios[2].key != scenarios[1].key
    for one in scenarios[:2]:
        stages = plan_runs(one, [make_method("finetune", one)])
        for stage in stages:
            run_stage(stage, store, "cpu", SilentReporter())
        weights.append([store.arrays(stage.key, "weights") for stage in stages])
    for usual, halved in zip(*weights, strict=True):
        largest = max(np.abs(usual[name] - halved[name]).max() for name in usual)
        assert 1e-5 < largest < 1
        assert all(value.dtype != np.float16 for value in halved.values())
