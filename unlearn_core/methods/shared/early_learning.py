"""How late each label is learned, from a training run from scratch that is only watched."""

from __future__ import annotations

import torch

from unlearn_core.discovery.early_cutting import given_up
from unlearn_core.discovery.watching import WATCHED, shorten
from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.shared.sgd import count_batches
from unlearn_core.training import FreshTrainer, Reporter
from unlearn_core.training.progress import LossRecorder


def watch_learning(task: UnlearningTask, reporter: Reporter) -> dict[str, torch.Tensor]:
    """What a short training run from scratch on all data does with the given labels, (N,) each: ``loss``, averaged over its
    epochs, and the ``confidence`` and ``variability`` of a data map (arXiv:2009.10795), not finite where that run diverges; and
    ``given_up``, bool: whether it was learned early and contradicted later (arXiv:2502.08227)."""
    recorder, seed = LossRecorder(reporter, task.data), task.seed + WATCHED
    FreshTrainer(task.fresh_model(seed), task.data, shorten(task.recipe), seed, recorder).fit(task.everything)
    loss = recorder.total / recorder.epochs
    return {
        "loss": loss,
        "confidence": recorder.confidence,
        "variability": recorder.variability,
        "given_up": given_up(torch.stack(recorder.right)),
    }


def early_learning_loss(task: UnlearningTask, reporter: Reporter) -> torch.Tensor:
    """Loss (N,) of the given labels, averaged over the epochs of a short training run from scratch on all of them; not finite
    where that run diverges, and so no evidence (``out_of_fold``)."""
    return watch_learning(task, reporter)["loss"]


def early_learning_steps(task: UnlearningTask) -> int:
    """Optimiser steps that :func:`early_learning_loss` takes."""
    return shorten(task.recipe).epochs * count_batches(len(task.data), task.recipe.batch_size)
