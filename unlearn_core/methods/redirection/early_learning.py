"""How late each label is learned: a training run from scratch that is only watched."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.shared.sgd import count_batches
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import Reporter, Trainer, predict
from unlearn_core.tuning.held_out import Unseen

_SEED = 4243
"""Added to the task's: another network than the original."""


class Watching(Unseen):
    """Adds up the loss of every given label over the epochs of a training run."""

    def __init__(self, reporter: Reporter, task: UnlearningTask) -> None:
        super().__init__(reporter)
        self.data, self.epochs = task.data, 0
        self.total = torch.zeros(len(task.data), device=task.device)

    def snapshot(self, model: nn.Module) -> None:
        self.total += F.cross_entropy(predict(model, self.data), self.data.labels, reduction="none")
        self.epochs += 1


def _short(recipe: TrainingSpec) -> TrainingSpec:
    """Half of the epochs: what fits the rest is learned by then, and little has been learned by heart."""
    return recipe.model_copy(update={"epochs": max(1, recipe.epochs // 2)})


def learning_of(task: UnlearningTask, reporter: Reporter) -> torch.Tensor:
    """Loss (N,) of the given labels, averaged over the epochs of a short training run from scratch on all of them; not finite
    where that run diverges, and so no evidence (``out_of_fold``)."""
    watching, seed = Watching(reporter, task), task.seed + _SEED
    Trainer(task.fresh_model(seed), task.data, _short(task.recipe), seed, watching).fit(task.everything)
    return watching.total / watching.epochs


def learning_steps(task: UnlearningTask) -> int:
    """Optimiser steps that :func:`learning_of` takes."""
    return _short(task.recipe).epochs * count_batches(len(task.data), task.recipe.batch_size)
