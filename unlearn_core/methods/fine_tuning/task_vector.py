"""The two-sided task vector: from what the wrong labels teach towards what the right ones do."""

from __future__ import annotations

import copy

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared import directions
from unlearn_core.methods.shared.preference import accuracy_on
from unlearn_core.methods.shared.right_labels import fit_labels, relabelled
from unlearn_core.methods.shared.rounds import add_report, sample
from unlearn_core.methods.shared.sgd import phases
from unlearn_core.training import Reporter, predict

_GRID = [k / 50 for k in range(51)]
_LOOKED_AT = 512
"""Retained examples by which a strength is judged."""
_CLOSE = 0.005
"""What a smaller strength may lack to the best."""


class TaskVectorParams(MethodParams):
    steps: int = Field(60, ge=1, le=10_000, description="Steps of each of the two copies")
    rate: float = Field(0.1, gt=0, le=10, description="Learning rate, as a share of that of training")
    batch_size: int = Field(64, ge=1, le=8192, description="Examples in a step")


@register
class TaskVector(Method[TaskVectorParams]):
    """θ = θ₀ + α·(θ₊ − θ₋), θ₊ = argmin_θ CE_F(θ; y*), θ₋ = argmin_θ CE_F(θ; ỹ), both from θ₀.

    α is the smallest of 0, 0.02, …, 1 that is within 0.005 of the best acc(θ, F; y*) · acc(θ, R).

    Symbols: y* are right labels, ỹ the given ones; both copies take ``steps`` steps on the same batches of ``batch_size``, in
    eval mode, at ``rate`` times the rate of training. Weights of at least two dimensions move, and nothing else.
    Given: The original, F with given and with right labels, and R with its given labels, to choose α by.
    Fails: Where the corruption has no rule, its undiscovered part lies in another direction.
    Source: This project, after arXiv:2511.18660: what both copies have in common, the drift by repeating few images, cancels.
    Values: Those of the first try on digits; they were not searched for.
    """

    name, label, paper = "task_vector", "Two-sided task vector", "after arXiv:2511.18660"
    family = "fine-tuning"
    cost = 0.1
    published = None
    statistics = "kept"
    needs_right_labels = True
    summary = (
        "Teaches one copy of the model the right labels of the forget set and another copy the wrong ones, for equally many "
        "steps, and moves the model along the difference. "
        "It relies on both copies drifting alike, so that the difference is the labels' alone. "
        "It takes seconds, and heals what follows the same rule."
    )
    designed_for = Region(regularity=(0.5, 1.0))
    search_space = {"rate": [0.03, 0.1, 0.3, 1.0], "steps": [30, 60, 120]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        corrected, right = relabelled(task)
        start, rate = directions.weights_of(model, matrices=True), p.rate * task.recipe.learning_rate
        *both, looking = phases(reporter, p.steps, p.steps, len(_GRID))
        ends = []
        for labels, work in zip((right, task.data.labels), both, strict=True):
            twin = copy.deepcopy(model)
            fit_labels(twin, task, work, labels, corrected, rate=rate, batch_size=p.batch_size, enough=-1.0, steps=p.steps)
            ends.append(directions.weights_of(twin, matrices=True))
        direction, scores, kept = directions.difference(*ends), [], sample(task.retain, task.seed, _LOOKED_AT)
        for done, strength in enumerate(_GRID, 1):
            directions.walk(model, start, direction, strength)
            scores.append(_accuracy(model, task, corrected, right) * accuracy_on(model, task, kept))
            looking.step(done, len(_GRID))
        chosen = next(strength for strength, score in zip(_GRID, scores, strict=True) if score >= max(scores) - _CLOSE)
        directions.walk(model, start, direction, chosen)
        reporter.snapshot(model.eval())
        add_report(model, strength={"alpha": chosen})
        return model


def _accuracy(model: nn.Module, task: UnlearningTask, ids: torch.Tensor, labels: torch.Tensor) -> float:
    return (predict(model, task.data, ids).argmax(1) == labels[ids]).float().mean().item()
