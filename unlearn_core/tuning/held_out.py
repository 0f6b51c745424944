"""Choosing REM's knobs by how well a held-out part of the forget set is healed, subject to the accuracy on the rest."""

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
from unlearn_core.training import Reporter, predict

MIN_FORGET = 4


class Unseen:
    """A reporter for inner runs: passes steps and cancellation on, keeps their snapshots to itself."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.reporter.step(done, total)

    def snapshot(self, model: nn.Module) -> None: ...

    def cancelled(self) -> bool:
        return self.reporter.cancelled()


class Quiet(Unseen):
    """For runs that were not planned: their steps are not counted either."""

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None: ...


def with_forget_set(
    task: UnlearningTask, known: torch.Tensor, seed: int | None = None, doubted: torch.Tensor | None = None
) -> UnlearningTask:
    """The task with ``known`` as forget set and everything else, wrong labels and all, as retain set; its own original.

    Examples in ``doubted`` (indices) are in neither: nothing is learned from them.
    """
    known = known.sort().values
    rest = torch.ones(len(task.data), dtype=torch.bool, device=task.device)
    rest[known] = False
    if doubted is not None:
        rest[doubted] = False
    return dataclasses.replace(
        task,
        original=copy.deepcopy(task.original),
        forget=known,
        retain=rest.nonzero()[:, 0],
        seed=task.seed if seed is None else seed,
    )


def halves(task: UnlearningTask, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """F cut at random into two halves, the first the smaller where the number is odd; sorted indices."""
    order = torch.randperm(len(task.forget), generator=torch.Generator().manual_seed(seed)).to(task.device)
    cut = len(order) // 2
    return task.forget[order[:cut]].sort().values, task.forget[order[cut:]].sort().values


@dataclass(frozen=True)
class Trial:
    """One configuration. ``healed`` (m,): probability that the model no longer gives to the held-out wrong labels, in a
    fixed order of examples; ``retain``: accuracy on given labels outside F, averaged over the runs; ``lost``: whether a run
    lost a whole class. What says no given label of F any more may have given up their classes: that heals nobody, and shows
    on given labels."""

    params: dict[str, Any]
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


Run = Callable[[dict[str, Any], UnlearningTask, Reporter], nn.Module]


def cross_validate(run: Run, params: dict[str, Any], task: UnlearningTask, seed: int, reporters: Sequence[Reporter]) -> Trial:
    """Each half of F in turn is left in the retain set while REM is told of the other one; one run for each of at most two
    reporters. ``seed`` decides the halves and is that of the runs."""
    first, second = halves(task, seed)
    healed, retain, lost = [], [], []
    for (known, held), reporter in zip(((first, second), (second, first)), reporters, strict=False):
        half = with_forget_set(task, known, seed)
        model = run(params, half, Unseen(reporter))
        healed.append(_healed(model, task, held))
        retain.append(accuracy_on(model, task, task.retain))
        lost.append(class_collapsed(model, task.original, half))
    return Trial(params, torch.cat(healed), sum(retain) / len(retain), any(lost))


def evaluate(params: dict[str, Any], model: nn.Module, task: UnlearningTask) -> Trial:
    """A trial whose model was told of all of F, so that nothing is held out."""
    return Trial(params, _healed(model, task, task.forget), accuracy_on(model, task, task.retain))


def _healed(model: nn.Module, task: UnlearningTask, ids: torch.Tensor) -> torch.Tensor:
    """Probability (len(ids),) that ``model`` does not give to the labels as given."""
    return 1 - F.softmax(predict(model, task.data, ids), dim=1).gather(1, task.data.labels[ids][:, None])[:, 0]


def select_best(trials: Sequence[Trial], again: Callable[[Trial], Trial]) -> tuple[Trial, list[Trial]]:
    """The trial to go by: the best of them if it surpasses the first twice, else the first. And the second look.

    The best of many trials is partly the luckiest. So the best of those that surpass the first and the first itself are run
    ``again``, on other halves and with another seed, and must differ there as well. Where no trial surpasses the first, there
    is no second look.
    """
    start = trials[0]
    best = max(
        (trial for trial in trials[1:] if trial.significantly_better(start)), key=lambda trial: trial.score, default=None
    )
    if best is None:
        return start, []
    second = [again(start), again(best)]
    return (best if second[1].significantly_better(second[0]) else start), second
