"""Potion: label-free dampening with a search for the smallest edit that neutralises the poison (arXiv:2406.09173)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, accuracy_on, register
from unlearn_core.methods.dampening.dampening import (
    REFERENCE,
    Dampen,
    DampenParams,
    dampen,
    ordered_ratios,
    percentiles,
    selection_percentile,
)
from unlearn_core.methods.dampening.importance import Work, write
from unlearn_core.methods.shared.rounds import sample
from unlearn_core.methods.shared.sgd import measure_statistics
from unlearn_core.training import Reporter

LOOK = 256
"""Retain examples on which every trial's batch-norm statistics are measured, at most: there are dozens of trials."""
SNAPSHOT_DROP = 0.1
"""A trial whose forget accuracy is this much lower than at the last snapshot is worth one."""


def search_shares(forget: int, total: int, divisor: float, step: float, trials: int) -> torch.Tensor:
    """Budgets s₀·stepᵏ (trials,), float64, with s₀ = (forget/total)/divisor."""
    return forget / total / divisor * step ** torch.arange(trials, dtype=torch.float64)


class PotionParams(DampenParams):
    reference: Literal["all", "retain"] = Field("retain", description=REFERENCE)
    batch_size: int = Field(512, ge=1, le=8192, description="Largest batch of an importance, the same for both sets")
    stop_share: float = Field(0.2, ge=0, le=1, description="Stop once the forget accuracy is this share of the original's")
    start_divisor: float = Field(25.0, ge=1, le=1000, description="The first budget: F's share of the data over this")
    growth: float = Field(1.1, gt=1, le=2, description="The budget's factor from trial to trial")
    trials: int = Field(500, ge=1, le=500, description="At most so many budgets")


@register
class Potion(Dampen[PotionParams]):
    """θᵢ ← θᵢ·min(1, λ/ρᵢ) where ρᵢ > α(s_k),  s_k = s₀·γᵏ, for the first k at which acc_F(θ) ≤ ρ_stop·acc_F(θ₀).

    Symbols: ρ = I_F/I_R with I_S,ᵢ = mean |∂/∂θᵢ mean ‖f(x)‖₂| (no labels, outliers count less than squared); α(s) is
    ASSD's percentile 100 − ln(1 + 100·s); s₀ is F's share of the data over ``start_divisor``, γ is ``growth``, at most
    ``trials`` of them; λ is ``strength``, ρ_stop is ``stop_share``; acc_F is on given labels.
    Given: The inputs of F and of the retain set; F's given labels for the stop rule alone.
    Fails: It needs one shared pattern with weights of its own. Without it the budget grows until ordinary knowledge is
    dampened too.
    Source: Schoepf et al. 2024, arXiv:2406.09173.
    Values: The values are the published ones; ``stop_share``, which the publication sweeps from 0 to 0.75, is 0.2 as in
    arXiv:2505.17730. The program's batches of F are of another size than the rest's, which changes how strong the edit is.
    """

    name, label, paper = "potion", "Potion", "arXiv:2406.09173"
    revision = 2  # statistics measured on the retain set
    summary = (
        "Dampens ever more of the weights that matter most for the forget set, until the model no longer gives its wrong "
        "labels. It relies on the corruption being one pattern with weights of its own, so that switching it off for a "
        "few examples does so for all. Without a shared pattern the search goes on until ordinary knowledge is dampened "
        "too."
    )
    designed_for = Region(regularity=(0.75, 1.0))
    score, squared = "norm", False

    presets = {"digits": {"stop_share": 0.2, "batch_size": 64}, "points": {"stop_share": 0.2, "batch_size": 64}}
    search_space = {
        "stop_share": [0.0, 0.1, 0.2, 0.5],
        "strength": [0.1, 0.5, 1.0],
        "batch_size": [16, 64, 512],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        values, ratio, work = self.ratios(task, reporter, extra=self.p.trials)
        edit = self.search(task, values, ratio, work)
        write(task.original, edit)
        reporter.step(work.total, work.total)
        self.settle(task, reporter)
        reporter.snapshot(task.original)
        return task.original.eval()

    def settle(self, task: UnlearningTask, reporter: Reporter) -> None:
        """Measure the statistics of what was edited: the search must look at the network that would be returned."""
        measure_statistics(task.original, task.data, reporter, sample(task.retain, task.seed, LOOK))

    def search(self, task: UnlearningTask, values: torch.Tensor, ratio: torch.Tensor, work: Work) -> torch.Tensor:
        """The first trial's weights (P,) whose forget accuracy is at most ``stop_share`` of the original's.

        The ratios are sorted once and every trial's threshold read off. Trials that select the same weights give the same
        model and are not run again: the outcome is that of running all in turn, also where accuracy is not monotone. If none
        stops the search, the trial of lowest forget accuracy is returned (the public code returns the last, whatever it did).
        """
        p = self.p
        shares = search_shares(len(task.forget), len(task.data), p.start_divisor, p.growth, p.trials).to(ratio.device)
        ordered = ordered_ratios(ratio)
        # A weight with a ratio of at most λ is multiplied by 1, selected or not.
        thresholds = percentiles(ordered, selection_percentile(shares)).clamp(min=p.strength)
        selected = torch.searchsorted(ordered, thresholds, right=True).tolist()
        goal = p.stop_share * accuracy_on(task.original, task, task.forget)
        best, lowest, shown, last = values, float("inf"), float("inf"), -1
        for k in work.pieces(range(p.trials)):
            if selected[k] == last:
                continue
            last = selected[k]
            edit = dampen(values, ratio, thresholds[k], p.strength)
            write(task.original, edit)
            self.settle(task, work.reporter)
            reached = accuracy_on(task.original, task, task.forget)
            if reached < lowest:
                best, lowest = edit, reached
            if reached <= goal:
                break
            if reached <= shown - SNAPSHOT_DROP:
                shown = reached
                work.reporter.snapshot(task.original)
        return best
