"""What NPO and gradient ascent share: push the discovered corruption out of the whole network, nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods._base import Method, MethodParams, Region, UnlearningTask
from unlearn_core.methods._npo import accuracy_on, lower_forget_accuracy
from unlearn_core.training import Reporter


class PushParams(MethodParams):
    passes: int = Field(100, ge=1, le=1000, description="At most so many passes over the forget set")
    learning_rate: float = Field(0.005, gt=0, le=1, description="Constant learning rate")
    batch_size: int = Field(512, ge=1, le=8192, description="Examples in a step")
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0, le=0.1)
    threshold: float = Field(0.2, ge=0, le=1, description="Stop once the forget accuracy is at most this")
    keep_best: bool = Field(True, description="Return the pass that is best by the paper's proxy, else the last")


class Push(Method):
    """Base of methods that only see the forget set and stop when its accuracy on given labels is low."""

    Params = PushParams
    family = "ascent"
    designed_for = Region(regularity=(0.75, 1.0))
    presets = {"digits": {"passes": 40}, "points": {"passes": 40, "learning_rate": 0.02}}
    search_space = {"learning_rate": [0.001, 0.003, 0.005, 0.01, 0.02], "threshold": [0.1, 0.2, 0.4]}

    def objective(self, task: UnlearningTask) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        """(CE with redirect off, ids) → the scalar to minimise."""
        raise NotImplementedError

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        model = task.original
        optimizer = torch.optim.SGD(
            model.parameters(),
            lr=self.p.learning_rate,
            momentum=self.p.momentum,
            weight_decay=self.p.weight_decay,
            fused=True,
        )
        best: dict[str, Any] = {"score": -1.0, "state": None}

        def after(done: int) -> None:
            reporter.step(done, self.p.passes)
            reporter.snapshot(model)
            if self.p.keep_best:
                forget = accuracy_on(model, task, task.forget)
                score = accuracy_on(model, task, task.retain) * (1 - max(0.2, forget))
                if score > best["score"]:
                    best.update(score=score, state=copy.deepcopy(model.state_dict()))

        lower_forget_accuracy(
            model,
            optimizer,
            task,
            reporter,
            self.objective(task),
            threshold=self.p.threshold,
            max_passes=self.p.passes,
            batch_size=self.p.batch_size,
            generator=torch.Generator().manual_seed(task.seed + 1),
            on_pass=after,
        )
        if best["state"] is not None:
            model.load_state_dict(best["state"])
        return model.eval()
