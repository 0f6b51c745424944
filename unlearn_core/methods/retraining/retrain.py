"""Retrain from scratch without the forget set."""

from __future__ import annotations

from torch import nn

from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared.rounds import training_anew
from unlearn_core.training import Reporter, Trainer


@register
class Retrain(Method[MethodParams]):
    name, label, paper = "retrain", "Retrain", "the reference of exact unlearning"
    family = "retraining"
    cost = 1.0
    revision = 2  # where the network's running mean is slow, statistics are measured
    statistics = "of training"
    needs_labels = False
    summary = (
        "Trains a new model on everything but the discovered corruption. What was discovered is gone for certain; "
        "what was not is learned again. It costs as much as the original training."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        model = task.fresh_model(task.seed + 1)
        work = training_anew(reporter, model, task, task.retain)
        return Trainer(model, task.data, task.recipe, task.seed + 1, work).fit(task.retain)
