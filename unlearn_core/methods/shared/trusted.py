"""What methods on checked examples start from: those that a person checked, or a marked stand-in where nobody checked any."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, TypeVar

import torch
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.methods.base import Method, MethodParams, UnlearningTask
from unlearn_core.methods.shared.early_learning import early_learning_loss, early_learning_steps
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.person import STAND_IN, STAND_IN_SHARE
from unlearn_core.training import Reporter

P = TypeVar("P", bound=MethodParams)

LEAST = 10
"""Examples of every given label that stand in, at least."""
_WATCHED_COST = 0.5
"""What the watched run takes beside training from scratch."""
_NONE = "No example was checked and found right, and this method needs some."
_DIVERGED = (
    "The training run that is watched for a stand-in diverged, so nothing says which labels are learned first: give examples "
    "that were checked (trusted)."
)


class TrustedMethod(Method[P]):
    """Base of methods that work on checked examples V alone; subclasses implement :meth:`correct`.

    Where nobody checked any, those stand in whose given labels were learned first by a training run that is only watched, the
    same number for every label, none of F; the run's report says so. The published way (SAP) takes the lowest loss under the
    original, which a network that learned wrong labels by heart gives to them as well. Examples of a trigger are learned early
    too, and some will be among them.
    """

    needs_forget = False
    needs_retain = False
    needs_labels = False
    needs_trusted = True
    stands_in = True
    statistics: ClassVar[Literal["measured", "of training", "kept"]] = "kept"

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        if task.trusted is not None:
            if not len(task.trusted):
                raise UserError(_NONE)
            return self.correct(task, task.trusted, reporter)
        watched = early_learning_steps(task)
        rest = max(1, round(watched * self.cost / _WATCHED_COST))
        checked = lowest_loss(task, _Part(reporter, 0, watched, watched + rest))
        model = self.correct(task, checked, _Part(reporter, watched, rest, watched + rest))
        add_report(model, **{STAND_IN: {"examples": len(checked)}})
        return model

    def correct(self, task: UnlearningTask, checked: torch.Tensor, reporter: Reporter) -> nn.Module:
        """The corrected model, in eval mode; ``checked``: int64 training indices whose given labels are right."""
        raise NotImplementedError


def lowest_loss(task: UnlearningTask, reporter: Reporter) -> torch.Tensor:
    """int64, ascending: of every given label the examples outside F that a watched training run learned best, by the loss of
    the label averaged over its epochs; :func:`stand_in_count` of each, or all that there are."""
    losses = early_learning_loss(task, reporter)
    if not losses.isfinite().all():
        raise UserError(_DIVERGED)
    return best_of_each(losses[task.retain], task.data.labels[task.retain], task.retain, stand_in_count(task))


def stand_in_count(task: UnlearningTask) -> int:
    """Examples of every given label that stand in: together :data:`STAND_IN_SHARE` of the training set."""
    return max(LEAST, math.ceil(STAND_IN_SHARE * len(task.data) / task.data.classes))


def best_of_each(losses: torch.Tensor, labels: torch.Tensor, ids: torch.Tensor, count: int) -> torch.Tensor:
    """Those of ``ids`` (n,), ascending, that have the ``count`` lowest ``losses`` (n,) of their label (n,)."""
    order = losses.argsort(stable=True)
    chosen = [order[labels[order] == label][:count] for label in labels.unique()]
    return ids[torch.cat(chosen)].sort().values


class _Part:
    """Part of a method's work: ``size`` of its ``total`` steps after ``before``, whatever the part itself counts in."""

    def __init__(self, reporter: Reporter, before: int, size: int, total: int) -> None:
        self.reporter, self.before, self.size, self.total = reporter, before, size, total
        self.snapshot, self.cancelled = reporter.snapshot, reporter.cancelled

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.reporter.step(self.before + math.ceil(self.size * done / total), self.total, **scalars)
