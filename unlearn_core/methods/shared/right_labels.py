"""What methods that are told right labels share: the labels in the examples' places, and a loss that takes them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.shared.sgd import Cycle, count_batches
from unlearn_core.training import Reporter, Trainer, real
from unlearn_core.training.loop import Loss

_FORGOTTEN = "No right label of the forget set is known, and this method needs some."


def right_labels_of(task: UnlearningTask) -> torch.Tensor:
    """int64 (N,): the right label in the place of every example of the forget set of which one is known, elsewhere -1."""
    labels = torch.full((len(task.data),), -1, dtype=torch.int64, device=task.device)
    if task.right is not None:
        labels[task.forget] = task.right
    return labels


def relabelled(task: UnlearningTask) -> tuple[torch.Tensor, torch.Tensor]:
    """F_R, the members of F of which a right label is known, and the labels (N,) of all data with these put right.

    Raises :class:`UserError` where none is known: what would be left of such a method is another method.
    """
    right = right_labels_of(task)
    corrected = (right >= 0).nonzero()[:, 0]
    if not len(corrected):
        raise UserError(_FORGOTTEN)
    return corrected, torch.where(right >= 0, right, task.data.labels)


def loss_on(labels: torch.Tensor) -> Loss:
    """Mean cross entropy of ``labels`` (N,), in place of those that the data carry."""

    def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(real(model(x)), labels[ids])

    return loss


def fit_labels(
    model: nn.Module,
    task: UnlearningTask,
    reporter: Reporter,
    labels: torch.Tensor,
    ids: torch.Tensor,
    *,
    rate: float,
    batch_size: int,
    enough: float,
    steps: int,
) -> int:
    """Steps on ``ids`` alone towards ``labels`` (N,) at ``rate``, at most ``steps``, until the loss of every batch of a pass is
    at most ``enough``; returns how many were made.

    In eval mode: a few corrected images must not become what batch norm normalises by. Momentum 0.9 (Adam where the network
    was trained with Adam), no weight decay, redirect off. Nothing else is read, so what is hidden in the rest of the data is
    not taught again.
    """
    changes = {"learning_rate": rate, "momentum": 0.9, "weight_decay": 0.0, "batch_size": batch_size, "clip": 0.0}
    recipe = task.recipe.model_copy(update=changes)
    trainer = Trainer(model.eval(), task.data, recipe, task.seed + 5, reporter, loss_on(labels))
    pieces, fitting = Cycle(ids, batch_size, trainer.generator), 0
    for done in range(1, steps + 1):
        fitting = fitting + 1 if trainer.step(next(pieces)).item() <= enough else 0
        reporter.step(done, steps)
        if fitting == count_batches(len(ids), batch_size):
            break
    return done
