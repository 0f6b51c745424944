"""REM's learning rate for a network trained elsewhere: the one whose short trial heals most of what it was not told of."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import nn

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.shared.fitting import FACTORS, REST, SEED, hold_out_retain, judged_run
from unlearn_core.methods.shared.rounds import sample
from unlearn_core.training import Reporter
from unlearn_core.training.progress import SilentProgress
from unlearn_core.tuning.held_out import MIN_FORGET, Run, Trial, Values, evaluate, split_in_halves, with_forget_set

_STEPS = 8
"""Steps of a trial's only round."""


def run_at_fitting_rate(trial: Run, run: Run, rate: float, task: UnlearningTask, reporter: Reporter) -> nn.Module:
    """``run`` at the learning rate that does best in ``trial``, of ``rate`` and smaller ones; the network as it was where even
    that costs too much. What was tried and what was kept is in the model's report, under ``rate``.

    A trial is one short round that is told of half of F. It counts what the other half's wrong labels have lost, times the
    accuracy on retain examples that nothing is learned from; on those the run is judged as well. Only given labels are read.
    """
    held, rest = hold_out_retain(task)
    part = dataclasses.replace(task, retain=rest)
    trials = [_try_rate(trial, rate * factor, part, held, reporter) for factor in FACTORS]
    best = max(trials, key=lambda found: found.score if math.isfinite(found.score) else -1.0)
    change: Values = {} if best is trials[0] else dict(best.params)
    tried = [{"changed": found.params, "retain": found.retain} for found in trials]
    return judged_run(
        lambda: run(change | {"fit_rate": False}, part, reporter), task, held, reporter, {"changed": change, "tried": tried}
    )


def _try_rate(trial: Run, rate: float, task: UnlearningTask, held: torch.Tensor, reporter: Reporter) -> Trial:
    known, unknown = task.forget, task.forget
    if len(task.forget) >= MIN_FORGET:
        known, unknown = split_in_halves(task, task.seed + SEED)
    learned = torch.unique(torch.cat([sample(task.retain, task.seed + SEED, REST), unknown]))
    part = dataclasses.replace(with_forget_set(task, known), retain=learned[~torch.isin(learned, known)])
    short = {"learning_rate": rate, "epochs": 1, "steps": 0, "round_steps": _STEPS, "most_work": 0.0, "fit_rate": False}
    model = trial(short, part, SilentProgress(reporter))
    return evaluate({"learning_rate": rate}, model, dataclasses.replace(task, forget=unknown, retain=held))
