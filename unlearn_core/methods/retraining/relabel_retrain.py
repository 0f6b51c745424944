"""Retrain from scratch with the right labels that are known."""

from __future__ import annotations

import torch
from torch import nn

from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared.right_labels import loss_on, relabelled
from unlearn_core.methods.shared.rounds import training_anew
from unlearn_core.training import FreshTrainer, Reporter


@register
class RelabelRetrain(Method[MethodParams]):
    """min_θ CE_R(θ) + CE_F(θ; y*), from a new random θ; y* are the right labels.

    Symbols: R is the retain set; epochs, rate and batches are the recipe with which the original was trained. There are no
    parameters. Members of F without a right label are left out.
    Given: R with its given labels; of F the inputs and the right labels; of the original not even the weights.
    Fails: The undiscovered corruption is in R and is learned again; it costs a whole training.
    Source: Exact label correction, the reference of arXiv:2108.11577.
    """

    name, label, paper = "relabel_retrain", "Retrain with right labels", "the reference of arXiv:2108.11577"
    family = "retraining"
    cost = 1.0
    published = None
    statistics = "of training"
    needs_labels = False
    needs_right_labels = True
    summary = (
        "Trains a new model on everything, with the labels of the forget set put right. What was discovered is corrected for "
        "certain; what was not is learned again. It costs as much as the original training."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        corrected, labels = relabelled(task)
        ids = torch.cat([task.retain, corrected]).sort().values
        model = task.fresh_model(task.seed + 1)
        work = training_anew(reporter, model, task, task.retain)
        return FreshTrainer(model, task.data, task.recipe, task.seed + 1, work, loss_on(labels)).fit(ids)
