"""What NPO and gradient ascent share: push the discovered corruption out of the whole network, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods.base import MethodParams, Region, UnlearningTask
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.preference import ForgetSteps, lower_forget_accuracy
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.training import SGD, Reporter


class PushParams(MethodParams):
    passes: int = Field(100, ge=1, le=1000, description="At most so many passes over the forget set")
    learning_rate: float = Field(0.005, gt=0, le=1, description="Constant learning rate")
    batch_size: int = Field(512, ge=1, le=8192, description="Examples in a step")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD")
    weight_decay: float = Field(5e-4, ge=0, le=0.1, description="Weight decay in every step")
    threshold: float = Field(0.2, ge=0, le=1, description="Stop once the forget accuracy is at most this")
    keep_best: bool = Field(True, description="Return the pass that is best by the paper's proxy, else the last")


P = TypeVar("P", bound=PushParams)


class Push(FittedMethod[P]):
    """Base of methods that move along the forget set alone and stop when its accuracy on given labels is low.

    The retain set only tells which pass to return, and what batch norm normalises by: the passes themselves, in train mode
    on a few corrupted examples, would leave it statistics of those.
    """

    family = "ascent"
    designed_for = Region(regularity=(0.75, 1.0))
    presets = {"digits": {"passes": 40}, "points": {"passes": 40, "learning_rate": 0.02}}
    search_space = {"learning_rate": [0.001, 0.003, 0.005, 0.01, 0.02], "threshold": [0.1, 0.2, 0.4]}

    def objective(self, task: UnlearningTask) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        """(CE with redirect off, ids) → the scalar to minimise."""
        raise NotImplementedError

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        model = task.original
        optimizer = SGD(
            model.parameters(),
            lr=self.p.learning_rate,
            momentum=self.p.momentum,
            weight_decay=self.p.weight_decay,
            fused=True,
        )
        rounds = Rounds(reporter, task, self.p.keep_best)

        def after(done: int) -> None:
            rounds.step(done, self.p.passes)
            rounds.snapshot(model)

        generator = torch.Generator().manual_seed(task.seed + 1)
        lower_forget_accuracy(
            ForgetSteps(model, optimizer, task, self.objective(task), generator),
            rounds,
            threshold=self.p.threshold,
            max_passes=self.p.passes,
            batch_size=self.p.batch_size,
            on_pass=after,
        )
        return rounds.returned(model)
