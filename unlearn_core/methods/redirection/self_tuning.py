"""REM that tunes itself: the changes that are tried, the search among them, and the base of methods that search."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import Field
from torch import nn

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.redirection.findings import Report
from unlearn_core.methods.redirection.fitted_rate import run_at_fitting_rate
from unlearn_core.methods.redirection.params import RemParams, total_steps
from unlearn_core.methods.redirection.rem import RedirectionMethod, Rem
from unlearn_core.methods.redirection.safeguard import P
from unlearn_core.training import Reporter
from unlearn_core.training.progress import ProgressBudget
from unlearn_core.tuning.held_out import MIN_FORGET, Trial, Values, cross_validate, select_best, with_forget_set

SECOND = 7919
"""Added to the task's seed for the second look."""


class TunedParams(RemParams):
    """REM's parameters, from which the search starts, and how far it goes."""

    tries: int = Field(6, ge=0, le=16, description="Changes of the starting values that are tried on a held-out half of F")


def list_changes(p: RemParams) -> list[Values]:
    """Changes worth trying, the most useful first: rounds, learning rate, batch, mask share, oversampling."""
    return [
        {"epochs": min(100, 2 * p.epochs)},
        {"learning_rate": p.learning_rate / 2},
        {"forget_per_batch": min(1024, max(1, p.batch_size // 8))},
        {"mask_share": min(1.0, 3 * p.mask_share)},
        {"epochs": max(1, p.epochs // 2)},
        {"batch_size": max(2, p.batch_size // 2)},
        {"learning_rate": min(1.0, 2 * p.learning_rate)},
        {"flush_clip": p.flush_clip / 2 if p.flush_clip else 0.5},
    ]


UNTOUCHED: Values = {"epochs": 0}
"""The change that leaves the network as it is: the best there is where it never learned the wrong labels."""


def run_rem(params: Values, task: UnlearningTask, reporter: Reporter) -> nn.Module:
    """REM with its safeguard; consumes the task's original. :data:`UNTOUCHED` adds channels and uses none of them."""
    if not params["epochs"]:
        task.original.widen(params["redirect_ratio"], task.seed + 1)
        return task.original.eval()
    return Rem(Rem.params(params)).unlearn(task, reporter)


def rem_values(params: RemParams) -> Values:
    """The part of ``params`` that is REM's own."""
    return {name: getattr(params, name) for name in RemParams.model_fields}


def steps_of(values: Values, examples: int) -> int:
    """Optimiser steps that one REM run reports."""
    return total_steps(RemParams(**values), examples) if values["epochs"] else 0


_COSTLIER = 5.0
"""How many times as long an example takes in a step of REM as in one of training: two passes, one of them through a network
that is twice as wide, flushes and measured statistics. Between 4 and 8 on digits, points and photographs."""


def training_pace(params: RemParams, task: UnlearningTask) -> float:
    """How many of REM's steps one step of training counts for."""
    return task.recipe.batch_size / (_COSTLIER * params.batch_size)


def trial_plan(params: TunedParams, forget: int) -> list[Values]:
    """Complete REM parameters to try, the starting values first, then :data:`UNTOUCHED`, which costs nothing; just the
    starting values where F is too small to hold anything out."""
    start = rem_values(params)
    if forget < MIN_FORGET or not params.tries:
        return [start]
    return [start, start | UNTOUCHED, *(start | change for change in list_changes(params)[: params.tries])]


def tuning_steps(params: TunedParams, examples: int, forget: int) -> int:
    """Steps that :func:`tune_rem` takes where the second look is at something as long as the start: every trial once, two of
    them twice more, one with all of F."""
    plans = trial_plan(params, forget)
    start, *others = (math.ceil(steps_of(values, examples) * pace_of(values, plans[0])) for values in plans)
    return 6 * start + sum(others) if others else start


def pace_of(values: Values, start: Values) -> float:
    """How many of the starting values' steps one of these counts for: batches differ."""
    return float(values["batch_size"] / start["batch_size"])


def tune_rem(params: TunedParams, task: UnlearningTask, budget: ProgressBudget) -> tuple[nn.Module, Report]:
    """Try each change on one half of F, look again at the best, and run with all of F; returns the model and a report as
    plain data. Consumes the task's original."""
    task, examples = task.with_answers(), len(task.data)
    plans = trial_plan(params, len(task.forget))

    def look(values: Values, seed: int, folds: int) -> Trial:
        steps, pace = steps_of(values, examples), pace_of(values, plans[0])
        reporters = [budget.next(steps, pace) for _ in range(folds)]
        return cross_validate(run_rem, values, task, seed, reporters)

    trials = [look(values, task.seed, 1) for values in plans] if len(plans) > 1 else []
    chosen, second = plans[0], list[Trial]()
    if trials:
        best, second = select_best(trials, lambda trial: look(trial.params, task.seed + SECOND, 2))
        chosen = best.params
    steps, pace = steps_of(chosen, examples), pace_of(chosen, plans[0])
    # A second look at something longer than the start has taken more than was planned.
    budget.used = max(budget.used, budget.total - steps_of(plans[0], examples))
    budget.total = budget.used + max(1, math.ceil(steps * pace))
    model = run_rem(chosen, with_forget_set(task, task.forget), budget.next(steps, pace))
    report = {"changed": _changes(chosen, plans[0]), "tried": _report(trials, plans[0]), "again": _report(second, plans[0])}
    return model, report | {"last": getattr(model, "report", {}).get("tuning")}


def _changes(values: Values, start: Values) -> Values:
    return {name: value for name, value in values.items() if value != start[name]}


def _report(trials: Sequence[Trial], start: Values) -> list[Report]:
    return [
        {"changed": _changes(trial.params, start), "healed": _finite(trial.healed.mean().item()), "retain": trial.retain}
        for trial in trials
    ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


class TunedMethod(RedirectionMethod[P]):
    """Base of methods that search by themselves: nothing for ``tune`` to try on top.

    Where the learning rate has to fit the network, it is fitted once, before the search.
    """

    search_space, published = {}, None
    cost = 6.0

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        if not self.p.fit_rate:
            return self.search(task, reporter)
        single = Rem(Rem.params(rem_values(self.p)))
        return run_at_fitting_rate(single.run_changed, self._search_changed, self.p.learning_rate, task, reporter)

    def search(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        """The search and its last run; consumes the task's original."""
        raise NotImplementedError

    def _search_changed(self, changes: Values, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        return type(self)(self.p.model_copy(update=changes)).search(task, reporter)
