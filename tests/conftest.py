"""Shared fixtures: one tiny scenario, trained once a session, that the contract tests reuse."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from unlearn_core.evaluation import Arena, build_arena
from unlearn_core.methods import OracleTask, UnlearningTask
from unlearn_core.methods import registry as methods
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scenario
from unlearn_core.training import SilentReporter, Trainer, deterministic


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> object:
    with deterministic(threads=1):
        yield


@dataclass
class Trained:
    """A scenario with its data and a trained original, from which fresh tasks can be made."""

    scenario: Scenario
    arena: Arena
    original: RedirectNet

    def task(self, discovery: float = 0.5, oracle: bool = False) -> UnlearningTask:
        truth, data = self.arena.corrupted.truth, self.arena.train
        forget = truth.forget_indices(discovery)
        keep = torch.ones(len(data), dtype=torch.bool)
        keep[forget] = False
        spec, shape, classes = self.scenario.model, self.arena.corrupted.train.shape, data.classes
        common = {
            "original": copy.deepcopy(self.original),
            "data": data,
            "forget": forget,
            "retain": keep.nonzero()[:, 0],
            "fresh_model": lambda seed: build_model(spec, shape, classes, seed),
            "recipe": self.scenario.training.model_copy(update={"epochs": 3}),
            "seed": self.scenario.seed,
        }
        return OracleTask(**common, truth=truth) if oracle else UnlearningTask(**common)


def train(dataset: str, **overrides: object) -> Trained:
    scenario = make_scenario(dataset, regularity=0.0, overrides=overrides)
    arena = build_arena(scenario, torch.device("cpu"))
    model = build_model(scenario.model, arena.corrupted.train.shape, arena.train.classes, scenario.seed)
    Trainer(model, arena.train, scenario.training, scenario.seed, SilentReporter(), snapshots=False).fit(
        torch.arange(len(arena.train))
    )
    return Trained(scenario, arena, model)


@pytest.fixture(scope="session")
def digits() -> Trained:
    return train("digits", **{"training.epochs": 25})


@pytest.fixture(scope="session")
def points() -> Trained:
    return train("waves", **{"training.epochs": 40})


@pytest.fixture
def quick() -> Callable[[str], dict[str, object]]:
    """Parameters that make a method quick, where it has such parameters."""

    def shorten(name: str) -> dict[str, object]:
        method = methods.get(name)
        short: dict[str, object] = {"epochs": 2, "passes": 3, "flush_passes": 3}
        fields = method.Params.model_fields
        return method.presets.get("digits", {}) | {key: value for key, value in short.items() if key in fields}

    return shorten
