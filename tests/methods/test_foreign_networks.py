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
from unlearn_core.models._architectures import Layers
from unlearn_core.models.torchvision_nets import TorchvisionNet
from unlearn_core.presets import make_method
from unlearn_core.training import SilentReporter, Trainer, predict

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
        model.normalised_by(*self.arena.train.moments)
        return model


@pytest.fixture(scope="module")
def foreign(digits: Trained) -> Foreign:
    found = Foreign(digits.scenario, digits.arena, digits.original)
    found.original = found.fresh(0)
    data, recipe = digits.arena.train, digits.scenario.training.model_copy(update={"epochs": 30})
    Trainer(found.original, data, recipe, 0, SilentReporter(), snapshots=False).fit(torch.arange(len(data)))
    return found


@pytest.mark.parametrize("name", registry.names())
def test_every_method_changes_it_and_leaves_a_plain_network(name: str, foreign: Foreign, quick: Quick) -> None:
    method = registry.get(name)
    before = {key: value.clone() for key, value in foreign.original.state_dict().items()}
    model = method(method.params(quick(name))).unlearn(foreign.task(oracle=method.oracle), SilentReporter())
    assert isinstance(model, TorchvisionNet)
    logits = predict(model, foreign.arena.train)
    assert torch.isfinite(logits).all()
    model.narrow()
    assert torch.equal(predict(model, foreign.arena.train), logits)  # what is said was said without redirect channels
    after = model.state_dict()
    assert list(after) == list(before)
    assert any(not torch.equal(after[key], value) for key, value in before.items())
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


def heal(name: str, foreign: Foreign) -> Outcome:
    method, task = registry.get(name), foreign.task()
    model = method(method.params(make_method(name, foreign.scenario).params)).unlearn(task, SilentReporter())
    evidence = Evidence(foreign.scenario, foreign.arena.corrupted, task.forget, observe(model, foreign.arena))
    found = {name: value or 0.0 for name, value in measure(evidence, ["healed", "utility"]).items()}
    return Outcome(found["healed"], found["utility"], getattr(model, "report", {}))


def test_rem_heals_through_side_channels_where_fine_tuning_does_not(foreign: Foreign) -> None:
    finetuned, redirected = heal("finetune", foreign), heal("rem", foreign)
    assert redirected.healed > finetuned.healed + 0.2
    assert redirected.product > finetuned.product + 0.2
    assert redirected.utility > 0.9


def test_rem_tunes_itself_on_it(foreign: Foreign) -> None:
    tuned = heal("rem_tuned", foreign)
    assert tuned.product > heal("rem", foreign).product - 0.03
    assert tuned.report["tuning"]["tried"]


@pytest.mark.parametrize("name", ["rem_discover", "retrain_discover"])
def test_what_nobody_knew_is_found_on_it(name: str, foreign: Foreign) -> None:
    outcome, truth = heal(name, foreign), foreign.arena.corrupted.truth
    added = torch.tensor([entry["index"] for entry in outcome.report["discovery"]["added"]])
    hits = torch.isin(added, truth.corrupted)
    assert hits.float().mean() > 0.8
    assert hits.sum() > 0.5 * (len(truth.corrupted) - len(truth.forget_indices(0.5)))
    assert outcome.product > 0.75
