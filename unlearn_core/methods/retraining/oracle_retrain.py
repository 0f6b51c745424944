"""Retrain from scratch without any corruption: what could be reached if everything were known."""

from __future__ import annotations

import torch
from torch import nn

from unlearn_core.methods import Method, MethodParams, OracleTask, UnlearningTask, register
from unlearn_core.methods.shared.rounds import training_anew
from unlearn_core.training import FreshTrainer, Reporter


@register
class OracleRetrain(Method[MethodParams]):
    """min_θ CE_{D∖C}(θ), from a new random θ.

    Symbols: D are all training data and C is all of their corruption, discovered or not; the recipe is the original's.
    There are no parameters.
    Given: The ground truth, which is why it is an oracle.
    Fails: It is an upper bound, not a method: with much corruption even it has little data left.
    Source: The definition of the ceiling.
    """

    name, label, paper = "oracle_retrain", "Oracle: retrain without all corruption", "upper bound"
    family = "retraining"
    cost = 1.0
    revision = 2  # where the network's running mean is slow, statistics are measured
    statistics = "of training"
    oracle = True
    needs_forget = False
    summary = (
        "Trains a new model on clean data alone, for which all corruption has to be known. "
        "It is here as a ceiling: how well could any method do? It sees the ground truth and is marked as an oracle."
    )

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        assert isinstance(task, OracleTask)
        keep = torch.ones(len(task.data), dtype=torch.bool, device=task.device)
        keep[task.truth.corrupted.to(task.device)] = False
        model = task.fresh_model(task.seed + 1)
        ids = task.everything[keep]
        work = training_anew(reporter, model, task, ids)
        return FreshTrainer(model, task.data, task.recipe, task.seed + 1, work).fit(ids)
