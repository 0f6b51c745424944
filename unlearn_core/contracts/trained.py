"""A scenario with its data and a trained original, from which the contract tests make fresh tasks."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import torch

from unlearn_core.corruption import check_examples
from unlearn_core.evaluation import ScenarioData, build_scenario_data
from unlearn_core.methods import Method, OracleTask, UnlearningTask
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scalar, Scenario
from unlearn_core.training import FreshTrainer, SilentReporter

_CHECKED = 60
"""Checked examples of a method that needs some."""


@dataclass
class Trained:
    """A scenario with its data and a trained original, from which fresh tasks can be made."""

    scenario: Scenario
    arena: ScenarioData
    original: RedirectNet

    def task_for(self, method: type[Method[Any]], discovery: float = 0.5) -> UnlearningTask:
        """A fresh task with what this method says that it needs: the truth, right labels of F, checked examples."""
        task, truth = self.task(discovery, method.oracle), self.arena.corrupted.truth
        right = truth.clean_labels[task.forget] if method.needs_right_labels else None
        trusted = check_examples(truth, task.data.labels, task.forget, _CHECKED, task.seed) if method.needs_trusted else None
        return replace(task, right=right, trusted=trusted)

    def task(self, discovery: float = 0.5, oracle: bool = False) -> UnlearningTask:
        """A fresh task without anything that a person gives beside the forget set."""
        truth, data = self.arena.corrupted.truth, self.arena.train
        forget = truth.forget_indices(discovery)
        keep = torch.ones(len(data), dtype=torch.bool)
        keep[forget] = False
        spec, shape, classes = self.scenario.model, self.arena.corrupted.train.shape, data.classes
        task = UnlearningTask(
            original=copy.deepcopy(self.original),
            data=data,
            forget=forget,
            retain=keep.nonzero()[:, 0],
            fresh_model=lambda seed: build_model(spec, shape, classes, seed),
            recipe=self.scenario.training.model_copy(update={"epochs": 3}),
            seed=self.scenario.seed,
        )
        return OracleTask(**vars(task), truth=truth) if oracle else task


def train(dataset: str, **overrides: Scalar) -> Trained:
    scenario = make_scenario(dataset, regularity=0.0, overrides=overrides)
    arena = build_scenario_data(scenario, torch.device("cpu"))
    model = build_model(scenario.model, arena.corrupted.train.shape, arena.train.classes, scenario.seed)
    FreshTrainer(model, arena.train, scenario.training, scenario.seed, SilentReporter(), snapshots=False).fit(
        torch.arange(len(arena.train))
    )
    return Trained(scenario, arena, model)
