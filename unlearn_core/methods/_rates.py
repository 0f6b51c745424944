"""The learning rate that fits a network nobody here has trained: a short trial of each on a held-out half of F."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from unlearn_core.methods._base import UnlearningTask
from unlearn_core.methods._held_out import MIN_FORGET, Quiet, Run, Trial, halves, outcome, told
from unlearn_core.methods._rounds import sample
from unlearn_core.training import Reporter

FACTORS = (1.0, 0.3, 0.1, 0.03, 0.01)
"""What the rate that was asked for is multiplied by: presets were found on networks with a thousandth of the weights."""
_SEED = 977
_STEPS, _REST = 8, 2048
"""Steps of a trial's only round, and examples of the retain set in all trials: half to repair from, half to look at."""


def fitted_rate(run: Run, params: dict[str, Any], task: UnlearningTask, reporter: Reporter) -> tuple[float, dict[str, Any]]:
    """The learning rate whose short run leaves most of both: the held-out half of F healed, and held-out retain examples right.

    ``run`` does a whole run. Returns the rate and a report as plain data: ``changed``, ``tried``. With less than
    ``MIN_FORGET`` known, the half is all of F. Only given labels are read.
    """
    trials: list[Trial] = []
    rest = sample(task.retain, task.seed + _SEED, _REST)
    rest = rest[torch.randperm(len(rest), generator=torch.Generator().manual_seed(task.seed + _SEED)).to(task.device)]
    learned, looked_at = rest[: len(rest) // 2].sort().values, rest[len(rest) // 2 :].sort().values
    known, held = halves(task, task.seed + _SEED) if len(task.forget) >= MIN_FORGET else (task.forget, task.forget)
    for factor in FACTORS:
        rate = params["learning_rate"] * factor
        values = params | {"learning_rate": rate, "epochs": 1, "round_steps": _STEPS, "most_work": 0.0, "fit_rate": False}
        part = dataclasses.replace(told(task, known), retain=learned)
        model = run(values, part, Quiet(reporter))
        seen = outcome({"learning_rate": rate}, model, dataclasses.replace(task, forget=held, retain=looked_at))
        trials.append(seen)
    best = max(trials, key=lambda trial: trial.score if trial.score == trial.score else -1.0)
    rate = float(best.params["learning_rate"])
    tried = [{"changed": trial.params, "retain": trial.retain} for trial in trials]
    return rate, {"changed": {} if best is trials[0] else {"learning_rate": rate}, "tried": tried}
