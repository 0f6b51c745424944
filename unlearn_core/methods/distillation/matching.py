"""Fine-tuning towards given outputs on the forget set and on some of the rest (arXiv:2410.23232)."""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.methods.base import MethodParams, UnlearningTask
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import count_batches, sgd_recipe
from unlearn_core.training import Loss, Reporter, Trainer, batches, real, set_rate

_FALL = 0.95
"""By which the rate is multiplied after every pass."""


class MatchingParams(MethodParams):
    retained: float = Field(3.0, ge=0, le=100, description="Retained examples for each of the forget set, drawn once")
    epochs: int = Field(5, ge=1, le=500, description="Passes over these and the forget set")
    learning_rate: float = Field(5e-4, gt=0, le=1, description="Rate of Adam; after every pass it is multiplied by 0.95")
    batch_size: int = Field(512, ge=2, le=8192, description="Examples in a step")
    weight_decay: float = Field(0.0, ge=0, le=0.1, description="Weight decay in every step")


def draw_examples(task: UnlearningTask, params: MatchingParams) -> torch.Tensor:
    """The forget set, and as many retained examples for each of it as ``params`` say."""
    count = min(len(task.retain), round(params.retained * len(task.forget)))
    drawn = torch.randperm(len(task.retain), generator=torch.Generator().manual_seed(task.seed + 2))[:count]
    return torch.cat([task.forget, task.retain[drawn.to(task.device)]])


def match(
    task: UnlearningTask, params: MatchingParams, ids: torch.Tensor, targets: torch.Tensor, rounds: Rounds, work: Reporter
) -> None:
    """Fine-tune the original on ``ids`` towards ``targets`` (N, classes)."""
    plain = dataclasses.replace(task.data, augmentation=None)  # the outputs are those of the plain view
    recipe = sgd_recipe(task, params, optimizer="adam")
    trainer = Trainer(task.original, plain, recipe, task.seed + 1, work, towards(targets))
    total, done = recipe.epochs * count_batches(len(ids), recipe.batch_size), 0
    for epoch in range(recipe.epochs):
        for group in trainer.optimizer.param_groups:
            set_rate(group, recipe.learning_rate * _FALL**epoch)
        trainer.model.train()
        for piece in batches(ids, recipe.batch_size, trainer.generator):
            trainer.step(piece)
            done += 1
            work.step(done, total)
        rounds.snapshot(trainer.model)


def towards(targets: torch.Tensor) -> Loss:
    """Mean squared difference of logits from ``targets`` (N, classes), over examples and classes."""

    def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(real(model(x)), targets[ids])

    return loss
