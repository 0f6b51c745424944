"""Learning what is known of the corruption even more, and then going the other way: CUTS and NegMerge."""

from __future__ import annotations

import copy
import dataclasses
from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods.base import Method, MethodParams, UnlearningTask
from unlearn_core.methods.shared import directions
from unlearn_core.methods.shared.preference import accuracy_on
from unlearn_core.methods.shared.right_labels import fit_labels
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.methods.shared.sgd import count_batches, phases
from unlearn_core.training import Reporter

_LOOKS = 1 + directions.GROWTHS + directions.HALVINGS


class TaskArithmeticParams(MethodParams):
    runs: int = Field(3, ge=1, le=20, description="Fine-tuned copies whose directions are merged")
    epochs: int = Field(20, ge=1, le=500, description="Passes of a copy over the forget set")
    rate: float = Field(0.1, gt=0, le=10, description="Learning rate, as a share of that of training")
    batch_size: int = Field(64, ge=1, le=8192, description="Examples in a step")
    fit: float = Field(0.01, ge=0, le=1, description="Go on until at most this share of F is said as it was given")


class TaskArithmetic(Method[TaskArithmeticParams]):
    """Base of both. Copies learn in eval mode, at rates from half as high to twice as high, and where it matters what they
    agree on each has a random half of F for itself: a forget set of one batch would make them all the same."""

    family = "fine-tuning"
    cost = 0.2
    statistics = "kept"
    needs_retain = False
    agree: ClassVar[bool]
    """Whether only what all copies agree on counts."""

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        start, steps = directions.weights_of(model), p.epochs * count_batches(len(self._seen(task, 0)), p.batch_size)
        *copies, looking = phases(reporter, *[steps] * p.runs, _LOOKS)
        found = []
        for number, work in enumerate(copies):
            twin = copy.deepcopy(model)
            seeded = dataclasses.replace(task, seed=task.seed + 100 * number)
            relative = 2.0 ** (2 * number / (p.runs - 1) - 1) if p.runs > 1 else 1.0
            rate = relative * p.rate * task.recipe.learning_rate
            fit_labels(
                twin,
                seeded,
                work,
                task.data.labels,
                self._seen(task, number),
                rate=rate,
                batch_size=p.batch_size,
                enough=-1.0,
                steps=steps,
            )
            found.append(directions.difference(start, directions.weights_of(twin)))
        direction, looks = directions.merge(found, self.agree), 0

        def fit(strength: float) -> float:
            nonlocal looks
            looks += 1
            looking.step(looks, _LOOKS)
            directions.walk(model, start, direction, strength)
            return accuracy_on(model, task, task.forget)

        strength, reached = directions.smallest_strength(fit, p.fit)
        directions.walk(model, start, direction, strength)
        reporter.snapshot(model.eval())
        add_report(model, strength={"alpha": strength, "reached": reached})
        return model

    def _seen(self, task: UnlearningTask, number: int) -> torch.Tensor:
        """What copy ``number`` learns from."""
        if not self.agree or self.p.runs == 1:
            return task.forget
        order = torch.randperm(len(task.forget), generator=torch.Generator().manual_seed(task.seed + 100 * number + 7))
        return task.forget[order[: (len(order) + 1) // 2].to(task.device)]
