"""Retrain from scratch without the forget set."""

from __future__ import annotations

from torch import nn

from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared.rounds import training_anew
from unlearn_core.training import FreshTrainer, Reporter


@register
class Retrain(Method[MethodParams]):
    """min_θ CE_R(θ), from a new random θ.

    Symbols: R is the retain set; epochs, rate and batches are the recipe with which the original was trained. There are no
    parameters.
    Given: R with its given labels; of the original not even the weights.
    Fails: The undiscovered corruption is in R and is learned again; it costs a whole training.
    Source: The definition of exact unlearning; in corrective unlearning the reference of arXiv:2402.14015 (EU).
    """

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
        return FreshTrainer(model, task.data, task.recipe, task.seed + 1, work).fit(task.retain)
