"""A learning rate that fits a network trained elsewhere, and a run that is stopped where it costs too much."""

from __future__ import annotations

import copy
import dataclasses
import math

import torch
from torch import nn

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.shared.preference import accuracy_on
from unlearn_core.methods.shared.rounds import add_report, sample
from unlearn_core.training import Reporter
from unlearn_core.training.progress import SilentProgress
from unlearn_core.tuning.held_out import MIN_FORGET, Run, Trial, Values, evaluate, split_in_halves, with_forget_set

FACTORS = (1.0, 0.3, 0.1, 0.03, 0.01)
"""What the rate that was asked for is multiplied by: presets were found on networks with a hundredth of the weights."""
KEPT = 0.5
"""Share of the original's accuracy on held-out retain examples that a run has to keep. Not more: what the original knew by
heart of them counts as right, and a network that lost just that is as useful as before."""
_SEED = 977
_STEPS, _REST = 8, 1024
"""Steps of a trial's only round, and the retain examples that it repairs from."""
_HELD, _SHARE = 512, 0.1
"""Retain examples that no run learns from: at most so many, and this share of all."""


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
    original, before = copy.deepcopy(task.original), accuracy_on(task.original, task, held)
    change: Values = {} if best is trials[0] else dict(best.params)
    model = run(change | {"fit_rate": False}, part, reporter)
    after = accuracy_on(model, task, held)
    stopped = after < KEPT * before
    if stopped:
        _copy_reports(model, original)
        model = original.eval()
        reporter.snapshot(model)
    tried = [{"changed": found.params, "retain": found.retain} for found in trials]
    seen = {"examples": len(held), "before": before, "after": after}
    add_report(model, rate={"changed": change, "tried": tried, "held_out": seen, "stopped": stopped})
    return model


def hold_out_retain(task: UnlearningTask) -> tuple[torch.Tensor, torch.Tensor]:
    """Retain examples (m,) that are only looked at, and the others; sorted indices."""
    held = sample(task.retain, task.seed + _SEED, max(1, min(_HELD, round(_SHARE * len(task.retain)))))
    return held, task.retain[~torch.isin(task.retain, held)]


def _try_rate(trial: Run, rate: float, task: UnlearningTask, held: torch.Tensor, reporter: Reporter) -> Trial:
    known, unknown = task.forget, task.forget
    if len(task.forget) >= MIN_FORGET:
        known, unknown = split_in_halves(task, task.seed + _SEED)
    learned = torch.unique(torch.cat([sample(task.retain, task.seed + _SEED, _REST), unknown]))
    part = dataclasses.replace(with_forget_set(task, known), retain=learned[~torch.isin(learned, known)])
    short = {"learning_rate": rate, "epochs": 1, "steps": 0, "round_steps": _STEPS, "most_work": 0.0, "fit_rate": False}
    model = trial(short, part, SilentProgress(reporter))
    return evaluate({"learning_rate": rate}, model, dataclasses.replace(task, forget=unknown, retain=held))


def _copy_reports(source: nn.Module, target: nn.Module) -> None:
    """What a search found is no less true of a network that its run was not allowed to change."""
    for name in ("report", "report_arrays"):
        if hasattr(source, name):
            setattr(target, name, getattr(source, name))
