"""Every method on a network whose redirect channels were attached from outside: a small one, in torchvision's wrapper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from trained import Trained

from unlearn_core.evaluation import Evidence, measure, observe
from unlearn_core.methods import UnlearningTask, registry
from unlearn_core.methods.dampening.fine_pruning import FinePruningParams
from unlearn_core.methods.redirection.fitted_rate import run_at_fitting_rate
from unlearn_core.methods.shared.fitting import FACTORS, HOLDS, FittedMethod, hold_out_retain
from unlearn_core.methods.shared.trusted import TrustedMethod
from unlearn_core.models.redirect.tracing import Layers
from unlearn_core.models.torchvision_nets import TorchvisionNet
from unlearn_core.presets import make_method
from unlearn_core.specs import ModelSpec
from unlearn_core.training import SilentReporter, Trainer, predict
from unlearn_core.views.text.choices import rate_in_words

Quick = Callable[[str], dict[str, object]]


class Small(nn.Module):
    """Two convolutions and a hidden linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.bn1 = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.two, self.bn2 = nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16)
        self.hidden, self.fc = nn.Linear(64, 32), nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.one(x)), inplace=True)
        x = F.adaptive_max_pool2d(F.relu(self.bn2(self.two(x)), inplace=True), 2)
        return self.fc(F.relu(self.hidden(x.flatten(1)), inplace=True))


@dataclass
class Foreign(Trained):
    """A trained scenario whose network is none of this project's."""

    def task(self, discovery: float = 0.5, oracle: bool = False) -> UnlearningTask:
        return replace(super().task(discovery, oracle), fresh_model=self.fresh)

    def fresh(self, seed: int) -> TorchvisionNet:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            layers = Layers(("one", "two", "hidden"), (8, 16, 32), "fc")
            model = TorchvisionNet("small", Small(), layers, None, ((0.5,) * 3, (0.25,) * 3))
        model.set_input_stats(*self.arena.train.mean_std)
        return model


@pytest.fixture(scope="module")
def foreign(digits: Trained) -> Foreign:
    found = Foreign(digits.scenario, digits.arena, digits.original)
    found.original = found.fresh(0)
    data, recipe = digits.arena.train, digits.scenario.training.model_copy(update={"epochs": 30})
    Trainer(found.original, data, recipe, 0, SilentReporter(), snapshots=False).fit(torch.arange(len(data)))
    return found


SEARCHING = ("rem_tuned", "rem_discover", "retrain_discover")
"""They take long, and have tests of their own on this network."""


@pytest.mark.parametrize("name", [name for name in registry.names() if name not in SEARCHING])
def test_every_method_changes_it_and_leaves_a_plain_network(name: str, foreign: Foreign, quick: Quick) -> None:
    method = registry.get(name)
    before = {key: value.clone() for key, value in foreign.original.state_dict().items()}
    model = method(method.params(quick(name))).unlearn(foreign.task_for(method), SilentReporter())
    assert isinstance(model, TorchvisionNet)
    logits = predict(model, foreign.arena.train)
    assert torch.isfinite(logits).all()
    model.narrow()
    assert torch.equal(predict(model, foreign.arena.train), logits)  # what is said was said without redirect channels
    after = model.state_dict()
    assert list(after) == list(before)
    pruned = getattr(model, "report", {}).get("pruned", {}).get("channels")
    assert any(not torch.equal(after[key], value) for key, value in before.items()) or pruned == 0
    assert all(torch.equal(foreign.original.state_dict()[key], value) for key, value in before.items())


@dataclass(frozen=True)
class Outcome:
    """What a method with the preset for digits does to the foreign network."""

    healed: float
    utility: float
    report: dict[str, Any]

    @property
    def product(self) -> float:
        return self.healed * self.utility


def heal(name: str, foreign: Foreign, **changes: int) -> Outcome:
    method, task = registry.get(name), foreign.task()
    params = method.params(make_method(name, foreign.scenario).params | changes)
    model = method(params).unlearn(task, SilentReporter())
    evidence = Evidence(foreign.scenario, foreign.arena.corrupted, task.forget, observe(model, foreign.arena))
    found = {name: value or 0.0 for name, value in measure(evidence, ["healed", "utility"]).items()}
    return Outcome(found["healed"], found["utility"], getattr(model, "report", {}))


@pytest.fixture(scope="module")
def redirected(foreign: Foreign) -> Outcome:
    return heal("rem", foreign)


def test_rem_heals_through_side_channels_where_fine_tuning_does_not(foreign: Foreign, redirected: Outcome) -> None:
    finetuned = heal("finetune", foreign)
    assert redirected.healed > finetuned.healed + 0.2
    assert redirected.product > finetuned.product + 0.2
    assert redirected.utility > 0.9


def test_rem_tunes_itself_on_it(foreign: Foreign, redirected: Outcome) -> None:
    tuned = heal("rem_tuned", foreign, tries=2)
    assert tuned.product > redirected.product - 0.03
    assert tuned.report["tuning"]["tried"]


@pytest.mark.parametrize("name", ["rem_discover", "retrain_discover"])
def test_undiscovered_corruption_is_found_on_it(name: str, foreign: Foreign) -> None:
    outcome, truth = heal(name, foreign, rounds=1, folds=2), foreign.arena.corrupted.truth
    added = torch.tensor([entry["index"] for entry in outcome.report["discovery"]["added"]])
    hits = torch.isin(added, truth.corrupted)
    assert hits.float().mean() > 0.8
    assert hits.sum() > 0.5 * (len(truth.corrupted) - len(truth.forget_indices(0.5)))
    assert outcome.product > 0.75


def rem_with(foreign: Foreign, **changes: object) -> object:
    rem = registry.get("rem")
    return rem(rem.params(make_method("rem", foreign.scenario).params | changes))


def right(model: nn.Module, foreign: Foreign) -> float:
    test = foreign.arena.test
    return (predict(model, test).argmax(1) == test.labels).float().mean().item()


def test_the_learning_rate_fits_a_network_that_was_brought(foreign: Foreign) -> None:
    """At such a rate the network breaks; told to fit, the run finds a smaller one by given labels alone."""
    method: Any = rem_with(foreign, learning_rate=1.0, fit_rate=True, epochs=2)
    model = method.unlearn(foreign.task(), SilentReporter())
    rate = model.report["rate"]
    assert rate["changed"]["learning_rate"] < 1.0
    assert not rate["stopped"]
    assert [entry["changed"]["learning_rate"] for entry in rate["tried"]] == pytest.approx(list(FACTORS))
    assert rate["held_out"]["after"] > 0.8
    assert right(model, foreign) > 0.7


def test_a_run_that_costs_what_was_held_out_is_stopped_and_said(foreign: Foreign) -> None:
    def nothing(changes: dict[str, Any], part: UnlearningTask, reporter: object) -> nn.Module:
        return part.original.eval()

    def ruin(changes: dict[str, Any], part: UnlearningTask, reporter: object) -> nn.Module:
        torch.nn.init.zeros_(part.original.net.fc.weight)
        return nothing(changes, part, reporter)

    for run, stopped in ((ruin, True), (nothing, False)):
        model = run_at_fitting_rate(nothing, run, 0.1, foreign.task(), SilentReporter())
        rate = model.report["rate"]  # type: ignore[index]
        assert rate["stopped"] is stopped
        assert (rate["held_out"]["after"] < 0.5 * rate["held_out"]["before"]) is stopped
        assert torch.equal(predict(model, foreign.arena.test), predict(foreign.original, foreign.arena.test))


def test_nothing_is_learned_from_what_is_held_out(foreign: Foreign) -> None:
    task = foreign.task()
    held, rest = hold_out_retain(task)
    assert len(held) == round(0.1 * len(task.retain))
    assert torch.equal(torch.cat([held, rest]).sort().values, task.retain)
    seen: list[torch.Tensor] = []

    def run(changes: dict[str, Any], part: UnlearningTask, reporter: object) -> nn.Module:
        seen.append(torch.cat([part.forget, part.retain]))
        return part.original.eval()

    run_at_fitting_rate(run, run, 0.1, task, SilentReporter())
    assert len(seen) == len(FACTORS) + 1
    assert not any(torch.isin(held, ids).any() for ids in seen)


def test_only_networks_from_elsewhere_ask_for_it(foreign: Foreign) -> None:
    brought = foreign.scenario.model_copy(
        update={"model": ModelSpec(name="torchvision", params={"content": "sha-" + "0" * 32})}
    )
    assert make_method("rem", brought).params["fit_rate"] is True
    assert make_method("rem", brought, {"fit_rate": False}).params["fit_rate"] is False
    assert make_method("rem", foreign.scenario).params["fit_rate"] is False
    assert make_method("npo", brought).params["fit_rate"] is True
    assert "fit_rate" not in make_method("npo", foreign.scenario).params  # keys of our own networks are as they were
    assert "fit_rate" not in make_method("npo", brought, values="paper").params
    assert "fit_rate" not in make_method("npo", brought, {"learning_rate": 0.01}).params  # a rate that a person names
    assert "fit_rate" not in make_method("retrain", brought).params
    assert make_method("weight_distance", brought).params["fit_rate"] is True
    assert "fit_rate" not in make_method("weight_distance", brought, {"rate": 0.1}).params
    assert make_method("i_bau", brought).params["fit_rate"] is True


TOO_HIGH = {
    "npo": 0.5, "neggrad_plus": 0.5, "scrub": 0.5, "random_label": 1.0, "salun": 1.0, "bad_teacher": 0.1, "amun": 0.5,
    "finetune": 1.0, "l1_sparse": 0.5, "duck": 0.1, "i_bau": 0.03, "fine_pruning": 1.0, "weight_distance": 10.0,
}  # fmt: skip
"""Rates at which a method's run ruins this network, as presets do with one whose weights move further."""


@pytest.mark.parametrize("name", TOO_HIGH)
def test_rates_of_other_methods_follow_the_network_too(name: str, foreign: Foreign) -> None:
    method, outcomes = registry.get(name), {}
    for fit in (False, True):
        values = make_method(name, foreign.scenario).params | {method.rate_name: TOO_HIGH[name], "fit_rate": fit}
        values |= {"epochs": 2} if name == "weight_distance" else {}  # more of them make up for the first
        outcomes[fit] = method(method.params(values)).unlearn(foreign.task_for(method), SilentReporter())
    utility = {fit: right(model, foreign) for fit, model in outcomes.items()}
    assert utility[False] < 0.65
    assert utility[True] > 0.75
    rate = outcomes[True].report["rate"]  # type: ignore[index]
    assert rate["changed"][method.rate_name] < TOO_HIGH[name] == rate["asked"]
    assert not rate["stopped"]
    assert "rate" not in getattr(outcomes[False], "report", {})
    *others, lowest = rate["tried"]
    assert lowest["retain"] >= HOLDS * rate["held_out"]["before"] > max(one["retain"] for one in others)
    words = rate_in_words(method.label, rate)
    assert f"{rate['asked']:.3g}" in words
    assert f"{lowest['changed'][method.rate_name]:.3g}" in words


def test_of_checked_examples_none_is_held_out_and_all_are_used(foreign: Foreign) -> None:
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    class Seeing(FittedMethod[FinePruningParams], TrustedMethod[FinePruningParams]):
        name = "seeing"

        def correct(self, task: UnlearningTask, checked: torch.Tensor, reporter: object) -> nn.Module:
            seen.append((checked, task.retain))
            return task.original.eval()

    task = replace(foreign.task(), trusted=foreign.task().retain[::3])
    model = Seeing(Seeing.Params(fit_rate=True)).unlearn(task, SilentReporter())
    assert len(seen) == 2  # one trial, and the run
    assert all(torch.equal(checked, task.trusted) for checked, _ in seen)
    left = seen[-1][1]
    held = task.retain[~torch.isin(task.retain, left)]
    assert 0 < len(held) == len(task.retain) - len(left)
    assert not torch.isin(held, task.trusted).any()
    assert model.report["rate"]["changed"] == {}  # type: ignore[index]


def test_a_rate_that_does_no_harm_is_left_alone_and_nothing_is_learned_from_what_is_held_out(foreign: Foreign) -> None:
    method = registry.get("npo")
    usual = make_method("npo", foreign.scenario).params
    model = method(method.params(usual | {"fit_rate": True})).unlearn(foreign.task(), SilentReporter())
    assert model.report["rate"]["changed"] == {}
    assert len(model.report["rate"]["tried"]) == 1
    _, rest = hold_out_retain(foreign.task())
    same = method(method.params(usual)).unlearn(replace(foreign.task(), retain=rest), SilentReporter())
    assert torch.equal(predict(model, foreign.arena.test), predict(same, foreign.arena.test))
