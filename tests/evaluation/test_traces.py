"""Noise canaries and the likelihood attack on each example: by hand, and on models that must show traces or none."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from test_membership import evidence

from unlearn_core.corruption.noise.noise_canaries import canary_noise
from unlearn_core.datasets import load_dataset
from unlearn_core.evaluation import OutsideView, load_scenario_data, measure, measured_for
from unlearn_core.evaluation.canaries import canary_traces, trace_scores
from unlearn_core.evaluation.likelihood import likelihood_score
from unlearn_core.evaluation.memorisation import difference_in_differences
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.tables import comparison, original_metrics
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.reference_models import plan_reference_models
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter

TRACES = ("noise_trace", "noise_trace_z", "noise_trace_tpr")


def task(seed: int = 100, **more: Any) -> Scenario:
    changes = {"corruption.kind": "noise_canaries", "corruption.strength": 0.4, "training.epochs": 20, "model.width": 8}
    return make_scenario("digits", amount=300, discovery=0.9, seed=seed, overrides=changes | more)


def test_the_score_of_a_canary_by_hand() -> None:
    """g = (−3, 4), ξ = (0.1, −0.2), ε = 0.1: ⟨g, ξ⟩ = −1.1, divided by 0.1 · 5: the loss falls along ξ, so 2.2."""
    gradient, noise = torch.tensor([[-3.0, 4.0]]), torch.tensor([[0.1, -0.2]])
    assert trace_scores(gradient, noise, 0.1).tolist() == pytest.approx([2.2])
    assert trace_scores(-gradient, noise, 0.1).tolist() == pytest.approx([-2.2])
    assert trace_scores(5 * gradient, noise, 0.1).tolist() == pytest.approx([2.2])  # the scale of a gradient says nothing
    assert trace_scores(0 * gradient, noise, 0.1).tolist() == [0.0]


def test_scores_of_noise_that_nothing_was_trained_on_are_standard_normal() -> None:
    gradients = torch.randn(4000, 1, 8, 8, generator=torch.Generator().manual_seed(1)).exp()
    scores = trace_scores(gradients, canary_noise(0.1, gradients.shape, seed=3), 0.1)
    assert abs(float(scores.mean())) < 0.06
    assert float(scores.std()) == pytest.approx(1.0, abs=0.05)


def test_canaries_are_the_images_with_noise_and_their_right_labels() -> None:
    data, train = load_scenario_data(task()), load_dataset(task().dataset, 100).train
    chosen = data.corrupted.truth.corrupted
    assert len(chosen) == 300
    assert torch.equal(data.train.labels, train.labels)
    shift = data.corrupted.train.inputs[chosen].float() - train.inputs[chosen].float()
    noise = canary_noise(0.4, train.inputs[chosen].shape, 100) * 255
    inner = (data.corrupted.train.inputs[chosen] > 0) & (data.corrupted.train.inputs[chosen] < 255)
    assert (shift - noise)[inner].abs().max() <= 0.51  # rounded; elsewhere cut off at black or white
    others = torch.ones(len(train), dtype=torch.bool)
    others[chosen] = False
    assert torch.equal(data.corrupted.train.inputs[others], train.inputs[others])


def test_the_original_shows_the_traces_and_retraining_none(tmp_path: Path) -> None:
    scenario, store = task(), Store.open(tmp_path)
    specs = [make_method("retrain", scenario), make_method("finetune", scenario, {"epochs": 1})]
    for stage in plan_runs(scenario, specs):
        run_stage(stage, store, "cpu", SilentReporter())
    table = comparison(store, scenario, specs).set_index("method")
    assert table.loc["original", "noise_trace"] > 0
    assert table.loc["original", "noise_trace_z"] > 2.5
    assert abs(table.loc["retrain", "noise_trace_z"]) < 2.5
    assert table.loc["finetune", "noise_trace_z"] > 2.5  # a pass over the rest deletes nothing
    forget = len(load_scenario_data(scenario).corrupted.truth.forget_of(scenario))
    ratio = table["noise_trace_z"] / table["noise_trace"]
    assert list(ratio) == pytest.approx([forget**0.5] * 3)
    assert table["noise_trace_tpr"].between(0, 1).all()
    stored = store.get(scenario.run_key(specs[0]))
    assert stored is not None
    assert stored.payload["metrics"]["noise_trace"] == pytest.approx(table.loc["retrain", "noise_trace"])
    assert original_metrics(store, scenario)["healed"] is None  # labels are right: there is nothing to heal
    data = load_scenario_data(scenario)
    assert canary_traces(torch.nn.Linear(1, 1), data, make_scenario("digits")) is None


def test_without_canaries_there_is_no_trace() -> None:
    assert not set(TRACES) & set(measured_for(make_scenario("digits")))
    assert set(measure(evidence(True), TRACES).values()) == {None}


def test_what_untreated_controls_take_away_from_memorisation_by_hand() -> None:
    """Treated 0.2 before and 0.9 after, untreated 0.4 and 0.5: 0.6."""
    treated, untreated = (torch.tensor([0.9]), torch.tensor([0.2])), (torch.tensor([0.5]), torch.tensor([0.4]))
    assert difference_in_differences(*treated, *untreated) == pytest.approx(0.6)


def test_memorisation_is_measured_on_f_and_against_strangers() -> None:
    shown = evidence(True)
    given, forget = shown.corrupted.train.labels, shown.forget
    chance = shown.logits.train.softmax(1).gather(1, given[:, None])[:, 0]
    strangers = shown.logits.test.softmax(1).gather(1, shown.corrupted.test.labels[:, None])[:, 0]
    inside = torch.zeros(200)
    inside[forget] = 0.75
    names = ("memorisation_forget", "memorisation_left")
    view = OutsideView(torch.full((200,), 0.25), strangers - 0.1, inside=inside)
    values = measure(dataclasses.replace(shown, outside=view), names)
    assert values["memorisation_forget"] == pytest.approx(0.5)
    assert values["memorisation_left"] == pytest.approx(chance[forget].mean().item() - 0.25 - 0.1, abs=1e-5)
    older = measure(dataclasses.replace(shown, outside=OutsideView(view.train, view.test)), names)
    assert older["memorisation_forget"] is None
    assert older["memorisation_left"] == values["memorisation_left"]
    assert set(measure(shown, names).values()) == {None}


def test_the_likelihood_score_by_hand() -> None:
    score = likelihood_score(torch.tensor([0.0, 4.0, -1.0]), torch.full((3,), 4.0), torch.full((3,), -1.0))
    assert score.tolist() == pytest.approx([0.2, 1.0, 0.0])


def test_what_is_remembered_lies_near_those_that_saw_it_and_indifferent_examples_do_not_count() -> None:
    remembered, forgotten = evidence(True), evidence(False)
    given = remembered.corrupted.train.labels

    def seen_as(at: Any) -> torch.Tensor:
        z = at.logits.train
        own = z.gather(1, given[:, None])[:, 0]
        return own - z.scatter(1, given[:, None], -torch.inf).logsumexp(1)

    view = OutsideView(torch.full((200,), 0.5), torch.full((200,), 0.5), seen_as(remembered), seen_as(forgotten) - 2)
    names = ("likelihood_median", "likelihood_p95")
    high, low = (measure(dataclasses.replace(at, outside=view), names) for at in (remembered, forgotten))
    assert high["likelihood_median"] == pytest.approx(1.0, abs=1e-4)
    assert low["likelihood_median"] < 0.7 < high["likelihood_median"]
    assert low["likelihood_p95"] >= low["likelihood_median"]
    alike = dataclasses.replace(view, seen=view.unseen + 0.5)
    assert set(measure(dataclasses.replace(remembered, outside=alike), names).values()) == {None}
    older = OutsideView(view.train, view.test)
    assert set(measure(dataclasses.replace(remembered, outside=older), names).values()) == {None}


def test_reference_models_tell_the_original_from_retraining(tmp_path: Path) -> None:
    """With random labels: the original was trained on F, retraining was not, and each label of F is known by heart alone."""
    scenario = make_scenario("digits", regularity=0.0, discovery=0.5, overrides={"training.epochs": 12, "model.width": 8})
    store, spec = Store.open(tmp_path), make_method("retrain", scenario)
    for stage in [*plan_runs(scenario, [spec]), *plan_reference_models(scenario)]:
        run_stage(stage, store, "cpu", SilentReporter())
    table = comparison(store, scenario, [spec]).set_index("method")
    assert table.loc["original", "likelihood_median"] > 0.6
    assert table.loc["retrain", "likelihood_median"] < 0.3
    assert table.loc["retrain", "likelihood_p95"] > table.loc["retrain", "likelihood_median"]
    assert table["memorisation_forget"].nunique() == 1  # of the task, whatever was done
    assert table.loc["original", "memorisation_forget"] > 0.3
    assert table.loc["original", "memorisation_left"] > 0.3
    assert abs(table.loc["retrain", "memorisation_left"]) < 0.15
