"""The held-out-F rule: how far a part of the forget set that a run didn't know is healed, times the accuracy on the rest."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.shared.class_collapse import class_collapsed
from unlearn_core.methods.shared.preference import accuracy_on
from unlearn_core.methods.shared.right_labels import right_labels_of
from unlearn_core.training import Reporter, predict
from unlearn_core.training.progress import StepProgress

MIN_FORGET = 4
"""With fewer known there is too little to hold out."""

Values = dict[str, Any]
"""Parameters by name, as plain data. Not validated: a method's own search also has values that stand for no run at all."""
Run = Callable[[Values, UnlearningTask, Reporter], nn.Module]
"""(parameters, or changes of them; task; reporter) → the model of a run, which consumes the task's original."""


def with_forget_set(
    task: UnlearningTask, known: torch.Tensor, seed: int | None = None, excluded: torch.Tensor | None = None
) -> UnlearningTask:
    """The task with ``known`` as forget set and everything else, wrong labels and all, as retain set; its own original.

    Examples in ``excluded`` (indices) are in neither: nothing is learned from them. Right labels are kept for what is in
    ``known``, and for nothing else.
    """
    known = known.sort().values
    right = None if task.right is None else right_labels_of(task)[known]
    rest = torch.ones(len(task.data), dtype=torch.bool, device=task.device)
    rest[known] = False
    if excluded is not None:
        rest[excluded] = False
    return dataclasses.replace(
        task,
        original=copy.deepcopy(task.original),
        forget=known,
        retain=rest.nonzero()[:, 0],
        right=right,
        seed=task.seed if seed is None else seed,
    )


def split_in_halves(task: UnlearningTask, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """F cut at random into two halves, the first the smaller where the number is odd; sorted indices."""
    order = torch.randperm(len(task.forget), generator=torch.Generator().manual_seed(seed)).to(task.device)
    cut = len(order) // 2
    return task.forget[order[:cut]].sort().values, task.forget[order[cut:]].sort().values


@dataclass(frozen=True)
class Trial:
    """One configuration. ``healed`` (m,): probability that the model no longer gives to the held-out wrong labels, in a
    fixed order of examples; ``retain``: accuracy on given labels outside F, averaged over the runs; ``lost``: whether a run
    lost a whole class. A model that no longer gives any label of F may have given up their classes. That heals
    nothing, and shows on given labels."""

    params: Values
    healed: torch.Tensor
    retain: float
    lost: bool = False

    @property
    def products(self) -> torch.Tensor:
        """Healing × accuracy, example by example (m,): healing that breaks the rest is worth little, and nothing where a
        whole class is lost or the run diverged."""
        products = self.healed * self.retain
        return products if products.isfinite().all() and not self.lost else torch.zeros_like(products)

    @property
    def score(self) -> float:
        """Their mean."""
        return self.products.mean().item()

    def significantly_better(self, other: Trial) -> bool:
        """Whether it is better by more than the standard error of the difference, example by example."""
        gain = self.products - other.products
        error = gain.std(unbiased=True) / len(gain) ** 0.5
        return bool(gain.mean() > error)


def cross_validate(run: Run, params: Values, task: UnlearningTask, seed: int, reporters: Sequence[Reporter]) -> Trial:
    """Each half of F in turn is left in the retain set while REM is told of the other one; one run for each of at most two
    reporters. ``seed`` decides the halves and is that of the runs. A class that either loses makes the trial worthless."""
    first, second = split_in_halves(task, seed)
    healed, retain, lost = [], [], []
    for (known, held), reporter in zip(((first, second), (second, first)), reporters, strict=False):
        half = with_forget_set(task, known, seed)
        model = run(params, half, StepProgress(reporter))
        healed.append(_healed_probability(model, task, held))
        retain.append(accuracy_on(model, task, task.retain))
        lost.append(class_collapsed(model, task.answers or task.original, half))
    return Trial(params, torch.cat(healed), sum(retain) / len(retain), any(lost))


def evaluate(params: Values, model: nn.Module, task: UnlearningTask) -> Trial:
    """A trial whose model was told of all of F, so that nothing is held out."""
    return Trial(params, _healed_probability(model, task, task.forget), accuracy_on(model, task, task.retain))


def _healed_probability(model: nn.Module, task: UnlearningTask, ids: torch.Tensor) -> torch.Tensor:
    """Probability (len(ids),) that ``model`` does not give to the labels as given."""
    return 1 - F.softmax(predict(model, task.data, ids), dim=1).gather(1, task.data.labels[ids][:, None])[:, 0]


def select_best(trials: Sequence[Trial], again: Callable[[Trial], Trial]) -> tuple[Trial, list[Trial]]:
    """The trial to go by, and the second look: the best if it is significantly better than the first twice, else the first.

    The best of many trials is partly the luckiest. So the best of those that are significantly better than the first, and the
    first itself, are run ``again``, on other halves and with another seed, and must differ there as well. Where no trial is,
    there is no second look.
    """
    start = trials[0]
    best = max(
        (trial for trial in trials[1:] if trial.significantly_better(start)), key=lambda trial: trial.score, default=None
    )
    if best is None:
        return start, []
    second = [again(start), again(best)]
    return (best if second[1].significantly_better(second[0]) else start), second
