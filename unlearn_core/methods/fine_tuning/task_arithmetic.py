"""Learning what is known of the corruption even more, and then going the other way: what CUTS and NegMerge share."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, ClassVar, TypeVar

import torch
from pydantic import Field
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods.base import Method, MethodParams, UnlearningTask
from unlearn_core.methods.shared import directions
from unlearn_core.methods.shared.preference import accuracy_on
from unlearn_core.methods.shared.right_labels import fit_labels
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.methods.shared.sgd import count_batches, phases
from unlearn_core.models import RedirectNet
from unlearn_core.training import Reporter


class CopiesParams(MethodParams):
    runs: int = Field(3, ge=1, le=20, description="Fine-tuned copies whose directions are merged")
    epochs: int = Field(20, ge=1, le=500, description="Passes of a copy over the forget set")
    rate: float = Field(0.1, gt=0, le=10, description="Learning rate, as a share of that of training")
    batch_size: int = Field(64, ge=1, le=8192, description="Examples in a step")


class TaskArithmeticParams(CopiesParams):
    fit: float = Field(0.01, ge=0, le=1, description="Go on until at most this share of F is said as it was given")


P = TypeVar("P", bound=CopiesParams)


class Walk:
    """The network at any strength, one look after the other."""

    def __init__(
        self, model: RedirectNet, start: directions.Direction, direction: directions.Direction, work: Reporter, most: int
    ) -> None:
        self.model, self.start, self.direction, self.work, self.most, self.looks = model, start, direction, work, most, 0

    def at(self, strength: float) -> RedirectNet:
        """The network, in eval mode. Raises ``Cancelled`` where the run was."""
        if self.work.cancelled():
            raise Cancelled
        self.looks += 1
        self.work.step(self.looks, self.most)
        directions.walk(self.model, self.start, self.direction, strength)
        return self.model.eval()


class TaskArithmetic(Method[P]):
    """Base of all. Copies learn in eval mode, at rates from half as high to twice as high, and where it matters what they
    agree on each has a random half of F for itself: a forget set of one batch would make them all the same."""

    family = "fine-tuning"
    cost = 0.2
    statistics = "kept"
    needs_retain = False
    agree: ClassVar[bool]
    """Whether only what all copies agree on counts."""
    looks: ClassVar[int]
    """How many strengths are tried, at most."""

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        start, steps = directions.weights_of(model), p.epochs * count_batches(len(self._seen(task, 0)), p.batch_size)
        *copies, looking = phases(reporter, *[steps] * p.runs, self.looks)
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
        direction = directions.merge(found, self.agree)
        strength, said = self.choose(task, Walk(model, start, direction, looking, self.looks))
        directions.walk(model, start, direction, strength)
        reporter.snapshot(model.eval())
        add_report(model, strength={"alpha": strength} | said)
        return model

    def choose(self, task: UnlearningTask, path: Walk) -> tuple[float, dict[str, Any]]:
        """How far to go against the direction, and what the report says of it."""
        raise NotImplementedError

    def _seen(self, task: UnlearningTask, number: int) -> torch.Tensor:
        """What copy ``number`` learns from."""
        if not self.agree or self.p.runs == 1:
            return task.forget
        order = torch.randperm(len(task.forget), generator=torch.Generator().manual_seed(task.seed + 100 * number + 7))
        return task.forget[order[: (len(order) + 1) // 2].to(task.device)]


class ByFit(TaskArithmetic[TaskArithmeticParams]):
    """Those that go on until F is not said as it was given any more."""

    looks = 1 + directions.GROWTHS + directions.HALVINGS

    def choose(self, task: UnlearningTask, path: Walk) -> tuple[float, dict[str, Any]]:
        strength, reached = directions.smallest_strength(
            lambda strength: accuracy_on(path.at(strength), task, task.forget), self.p.fit
        )
        return strength, {"reached": reached}
