"""Choosing hyperparameters with what a practitioner has: a held-out part of the forget set, and the retain accuracy.

A method's own stopping rules score the forget set it was given, which says nothing of the corruption it was not given.
Hiding half of F in the retain set, wrong labels and all, makes half of the known corruption stand for the unknown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch

from unlearn_core.errors import UserError
from unlearn_core.methods import Method, UnlearningTask, accuracy_on
from unlearn_core.training import Reporter, SilentReporter

MIN_FORGET = 4


@dataclasses.dataclass(frozen=True)
class HeldOutScore:
    """All three are shares on given labels. ``healed``: of the held-out half of F no longer predicted as given;
    ``retain``: accuracy outside F of that same run; ``retain_full``: accuracy outside F of a run with all of F."""

    healed: float
    retain: float
    retain_full: float

    @property
    def score(self) -> float:
        """The product: healing that breaks the rest is worth little."""
        return self.healed * self.retain * self.retain_full


def held_out_score(
    method: type[Method],
    params: dict[str, Any],
    make_task: Callable[[], UnlearningTask],
    seed: int,
    reporter: Reporter | None = None,
) -> HeldOutScore:
    """Score ``params`` on the task; ``make_task`` gives a fresh copy each time (methods consume the original).

    Raises :class:`UserError` with fewer than ``MIN_FORGET`` known corrupted examples.
    """
    task, report = make_task(), reporter or SilentReporter()
    if len(task.forget) < MIN_FORGET:
        raise UserError(f"Holding out half of the forget set needs at least {MIN_FORGET} examples (got {len(task.forget)}).")
    order = torch.randperm(len(task.forget), generator=torch.Generator().manual_seed(seed)).to(task.device)
    known = task.forget[order[: len(order) // 2]].sort().values
    held = task.forget[order[len(order) // 2 :]].sort().values
    rest = task.retain
    half = dataclasses.replace(task, forget=known, retain=torch.cat([rest, held]).sort().values)
    model = method(method.params(params)).unlearn(half, report)
    healed, retain = 1 - accuracy_on(model, half, held), accuracy_on(model, half, rest)
    full = make_task()
    return HeldOutScore(healed, retain, accuracy_on(method(method.params(params)).unlearn(full, report), full, rest))
