"""What follows every round of a method: statistics measured anew, accuracies looked at, and a better round not given away."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import nn

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.shared.preference import accuracy_on
from unlearn_core.methods.shared.sgd import measure_statistics
from unlearn_core.models import base_norms
from unlearn_core.training import DeviceData, Reporter

LOOK = 2048
"""Examples of the retain set that are looked at after a round, at most: enough for the statistics of a batch norm and for an
accuracy to within a point, at a small part of what a round over tens of thousands costs."""
FALL = 0.1
"""Share of the best round's accuracy on the retain set that the last one may lack. Undiscovered corruption that is healed
counts as wrong here, so a small fall may be what was wanted."""

MEMORY = 0.25
"""The most that giving up what was known by heart may explain of a fall."""


class Rounds:
    """A reporter between a method and its own: after every round the method calls ``snapshot``, and at its end ``returned``.

    A round's snapshot is what would be returned then: batch norm's statistics are those of the retain set, the same for all
    methods (a few steps at a high rate move weights faster than a running mean follows, and forget batches pull it away).
    Where the last round kept clearly less of the retain set than an earlier one, the best by REM's proxy of those that did not
    fall so is returned instead; with ``keep_best`` the best of all in any case, as in its paper. Only given labels are read.
    Not ``measured``: the statistics stay the running means of the method's own passes.
    """

    def __init__(self, reporter: Reporter, task: UnlearningTask, keep_best: bool = False, measured: bool = True) -> None:
        self.reporter, self.task, self.keep_best, self.measured = reporter, task, keep_best, measured
        self.step, self.cancelled = reporter.step, reporter.cancelled
        self.looked_at = sample(task.retain, task.seed)
        known = task.answers
        self.before = known.accuracy(self.looked_at) if known else accuracy_on(task.original, task, self.looked_at)
        self.retain: list[float] = []
        self.forget: list[float] = []
        self.best, self.best_score = 0, -1.0
        self.state: dict[str, torch.Tensor] = {}

    def snapshot(self, model: nn.Module) -> None:
        """Settle the round's model (in eval mode then), look at it, remember it if it is the best so far, and show it."""
        seen = measure_statistics(model, self.task.data, self.reporter, self.looked_at) if self.measured else None
        model.eval()
        self.retain.append(accuracy_on(model, self.task, self.looked_at) if seen is None else seen)
        self.forget.append(accuracy_on(model, self.task, self.task.forget))
        score = proxy(self.retain[-1], self.forget[-1])
        if not self.keep_best:  # a network that was broken has forgotten F too: it is no candidate
            if self.best and self._fallen(self.best):
                self.best_score = -1.0
            if self._fallen():
                score = -1.0
        if score > self.best_score:
            self.best, self.best_score = len(self.retain), score
            self.state = copy.deepcopy(model.state_dict())
        self.reporter.snapshot(model)

    def _fallen(self, number: int = 0) -> bool:
        return has_fallen(self.retain, len(self.looked_at), self.before, number)

    def returned(self, model: nn.Module) -> nn.Module:
        """The model of the round that is returned, in eval mode, which says so in its report; ``model`` is the last one's."""
        last = len(self.retain)
        fell = last > 0 and self._fallen()
        chosen = self.best if self.keep_best or fell else last
        if chosen != last:
            model.load_state_dict(self.state)
        self.state = {}
        if last > 1:
            why = "last" if chosen == last else "fell" if fell else "proxy"
            found = {"returned": chosen, "why": why, "retain": self.retain, "forget": self.forget}
            add_report(model, rounds=found)
        return model.eval()


class Settling:
    """A reporter for training from scratch, whose statistics are measured on ``ids`` at every snapshot, and so after the last
    epoch too."""

    def __init__(self, reporter: Reporter, data: DeviceData, ids: torch.Tensor) -> None:
        self.reporter, self.data, self.ids = reporter, data, ids
        self.step, self.cancelled = reporter.step, reporter.cancelled

    def snapshot(self, model: nn.Module) -> None:
        measure_statistics(model, self.data, self.reporter, self.ids)
        self.reporter.snapshot(model)


_USUAL_MOMENTUM = 0.1
"""Torch's default: after the hundreds of steps of a training, the running mean has long arrived."""


def training_anew(reporter: Reporter, model: nn.Module, task: UnlearningTask, ids: torch.Tensor) -> Reporter:
    """The reporter for training ``model`` from scratch on ``ids``: its recipe's own running means, as the original's are.

    Under a rate that falls to nothing they are what measuring gives. A network with a slower mean (MobileNetV3: 0.01) has not
    arrived after a few hundred steps; it is settled.
    """
    slow = any(norm.momentum is not None and norm.momentum < _USUAL_MOMENTUM for norm in base_norms(model))
    return Settling(reporter, task.data, sample(ids, task.seed)) if slow else reporter


def settled(model: nn.Module, task: UnlearningTask, reporter: Reporter) -> nn.Module:
    """A network that was edited in one stroke, its statistics measured on the retain set as after a round, and shown."""
    measure_statistics(model, task.data, reporter, sample(task.retain, task.seed))
    reporter.snapshot(model)
    return model.eval()


def sample(ids: torch.Tensor, seed: int, most: int = LOOK) -> torch.Tensor:
    """All of ``ids``, or ``most`` of them drawn with ``seed``, in their order."""
    if len(ids) <= most:
        return ids
    chosen = torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed + 3))[:most]
    return ids[chosen.sort().values.to(ids.device)]


def proxy(retain: float, forget: float) -> float:
    """The REM paper's score of a round, from accuracies on given labels: retain · (1 − max(0.2, forget))."""
    return retain * (1 - max(0.2, forget))


def has_fallen(retain: list[float], examples: int, before: float, number: int = 0) -> bool:
    """Whether the accuracy on the retain set after round ``number`` (0: the last) lies clearly below the best: by more than
    :data:`FALL` of that, and by more than two standard errors of a difference of shares among ``examples``.

    A network that knew its examples by heart, wrong labels and all, gives that up once, and is none the worse on new ones. It
    shows in two ways. In what the best round lacks beside the original, ``before``: twice as much may follow, up to
    :data:`MEMORY`. Or the accuracy rises again after a fall, by more than chance and to more than half of the best, while a
    network that is being broken falls on: then what counts is the best since that fall.
    """
    position = number or len(retain)
    kept, best = retain[position - 1], max(retain)
    if kept >= best - max(FALL * best, _chance(best, examples), min(MEMORY, 2 * (before - best))):
        return False
    since = retain[retain.index(best) + 1 : position]
    if not since or kept < best / 2:  # a later round kept more; or it lies in ruins, which may rise and fall
        return True
    risen = since[since.index(min(since)) :]
    top, chance = max(risen), _chance(min(risen), examples)
    return kept <= min(risen) + chance or kept < top - max(FALL * top, chance)


def _chance(share: float, examples: int) -> float:
    """Two standard errors of a difference of two such shares."""
    return 2 * math.sqrt(2 * share * (1 - share) / max(1, examples))


def add_report(model: nn.Module, **entries: Any) -> None:
    """Add to what a model says of its own making: plain data by name, stored with the run."""
    model.report = getattr(model, "report", {}) | entries  # type: ignore[assignment]
