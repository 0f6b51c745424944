"""What self-tuned REM tries, and the tuned run itself."""

from __future__ import annotations

import math
from typing import Any

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods._base import UnlearningTask
from unlearn_core.methods._frame import Phase
from unlearn_core.methods._held_out import MIN_FORGET, Trial, choose, told, try_out
from unlearn_core.methods._npo import accuracy_on
from unlearn_core.methods._redirection import RedirectionMethod, RemParams
from unlearn_core.methods.rem import Rem
from unlearn_core.training import Reporter

COLLAPSE = 0.05
"""Points of retain accuracy by which the last run may fall short of its trials: more than healing all that was hidden from
them explains, less than half a class of ten."""
MOST_RUNS = 3
"""Runs with all of F, where one after the other goes wrong."""


class TunedParams(RemParams):
    """REM's knobs, from which the search starts, and how far it goes."""

    tries: int = Field(
        6, ge=0, le=16, description="Changes of the starting values that are tried on held-out halves of the forget set"
    )


def moves(p: RemParams) -> list[dict[str, Any]]:
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


UNTOUCHED: dict[str, Any] = {"epochs": 0}
"""The change that leaves the network as it is: the best there is where it never learned the wrong labels."""


def run_rem(params: dict[str, Any], task: UnlearningTask, reporter: Reporter) -> nn.Module:
    """One REM run, as it comes out; consumes the task's original. :data:`UNTOUCHED` adds channels and uses none of them."""
    if not params["epochs"]:
        task.original.widen(params["redirect_ratio"], task.seed + 1)
        return task.original.eval()
    return Rem(Rem.params(params)).once(task, reporter)


def rem_values(params: RemParams) -> dict[str, Any]:
    """The part of ``params`` that is REM's own."""
    return {name: getattr(params, name) for name in RemParams.model_fields}


def steps_of(values: dict[str, Any], examples: int) -> int:
    """Optimiser steps that one REM run reports."""
    return int(values["epochs"]) * -(-examples // int(values["batch_size"]))


class Plan:
    """Counted work of a method made of several REM runs: hands out one reporter after the other, never past its total."""

    def __init__(self, reporter: Reporter, total: int) -> None:
        self.reporter, self.total, self.used = reporter, total, 0

    def next(self, size: int) -> Reporter:
        """The reporter of the next run, of ``size`` steps."""
        part = Phase(self.reporter, min(self.used, self.total - 1), max(1, min(size, self.total - self.used)), self.total)
        self.used += size
        return part


def trial_plan(params: TunedParams, examples: int, forget: int) -> list[dict[str, Any]]:
    """Complete REM parameters to try, the starting values first, then :data:`UNTOUCHED`, which costs nothing; just the
    starting values where F is too small to hold anything out."""
    start = rem_values(params)
    if forget < MIN_FORGET or not params.tries:
        return [start]
    return [start, start | UNTOUCHED, *(start | move for move in moves(params)[: params.tries])]


def tuning_steps(params: TunedParams, examples: int, forget: int) -> int:
    """Most steps that :func:`tuned_rem` takes."""
    sizes = [steps_of(values, examples) for values in trial_plan(params, examples, forget)]
    return (2 * sum(sizes) if len(sizes) > 1 else 0) + sum(sorted(sizes)[-MOST_RUNS:])


def tuned_rem(params: TunedParams, task: UnlearningTask, plan: Plan) -> tuple[nn.Module, dict[str, Any]]:
    """Try, choose, and run once with all of F; returns the model and a report as plain data.

    A run that keeps clearly less of the rest than its own trials did (:data:`COLLAPSE`) has gone wrong: flushing can take a
    whole class, and the bounded loss then hardly pulls it back. The next best trial is run instead, up to
    :data:`MOST_RUNS` in all; where none is sound, the model that keeps most is returned.
    """
    examples = len(task.data)
    plans = trial_plan(params, examples, len(task.forget))
    trials: list[Trial] = []
    for values in plans if len(plans) > 1 else ():
        size = steps_of(values, examples)
        trials.append(try_out(run_rem, values, task, task.seed, (plan.next(size), plan.next(size))))
    chosen = choose(trials) if trials else Trial(plans[0], torch.empty(0), 0.0)
    others = sorted((trial for trial in trials if trial is not chosen), key=lambda trial: trial.score, reverse=True)
    runs: list[tuple[float, nn.Module, Trial]] = []
    for trial in [chosen, *others][:MOST_RUNS]:
        model = run_rem(trial.params, told(task, task.forget), plan.next(steps_of(trial.params, examples)))
        runs.append((accuracy_on(model, task, task.retain), model, trial))
        if runs[-1][0] >= trial.retain - COLLAPSE:
            break
    sound = runs[-1][0] >= runs[-1][2].retain - COLLAPSE
    kept, model, trial = runs[-1] if sound else max(runs, key=lambda run: run[0])
    return model, _report(trial.params, plans[0], trials) | {"retain": kept, "set_aside": len(runs) - 1}


def _report(chosen: dict[str, Any], start: dict[str, Any], trials: list[Trial]) -> dict[str, Any]:
    def changed(values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value != start[name]}

    tried = [
        {"changed": changed(trial.params), "healed": _finite(trial.healed.mean()), "retain": trial.retain} for trial in trials
    ]
    return {"changed": changed(chosen), "tried": tried}


def _finite(value: torch.Tensor) -> float | None:
    return value.item() if math.isfinite(value.item()) else None


class TunedMethod(RedirectionMethod):
    """Base of methods that search by themselves: nothing for ``tune`` to try on top."""

    search_space = {}
