"""Adaptive selective synaptic dampening (Schoepf et al. 2024, arXiv:2402.10098)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.dampening.dampening import (
    REFERENCE,
    Dampen,
    DampenParams,
    dampen,
    ordered_ratios,
    percentiles,
    selection_percentile,
)
from unlearn_core.methods.dampening.importance import write
from unlearn_core.methods.shared.rounds import settled
from unlearn_core.training import Reporter


class AssdParams(DampenParams):
    reference: Literal["all", "retain"] = Field("retain", description=REFERENCE)
    share_scale: float = Field(1.0, gt=0, le=1000, description="Multiplies F's share of the data; 1 is the paper's rule")


@register
class Assd(Dampen[AssdParams]):
    """θᵢ ← θᵢ·min(1, λ/ρᵢ) where ρᵢ > α,  ρ = I_F/I_R,  α = the q-th percentile of ρ,  q = 100 − ln(1 + 100·s).

    Symbols: I are SSD's importances, of F and of the retain set (or all data: ``reference``); s = n_F/N, F's share of the
    data, times ``share_scale``; λ is ``strength``; ``batch_size`` and ``per_sample`` as in SSD.
    Given: F and the retain set with given labels; the original in eval mode.
    Fails: s counts what was discovered: at low discovery the threshold is too high and little happens. Where the corruption
    has no weights of its own the same number of other weights is hit.
    Source: Schoepf et al. 2024, arXiv:2402.10098.
    Values: Threshold and λ follow the published rule; batches of 512 are those of Potion's program (arXiv:2406.09173),
    which has this method too. The program's batches of F are of another size than the rest's, which changes how strong the
    edit is.
    """

    name, label, paper = "assd", "ASSD", "arXiv:2402.10098"
    revision = 2  # statistics measured on the retain set
    summary = (
        "Dampens weights like SSD, with a threshold that follows from the share of the data that is to be forgotten. It "
        "relies on that share telling how many weights hold the corruption, so that nothing has to be tuned. At low "
        "discovery rates the share is too small and little happens, and where the corruption has no weights of its own "
        "others are hit."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    score, squared = "loss", True

    presets = {"digits": {"share_scale": 1.0}, "points": {"share_scale": 1.0}}
    published: ClassVar[dict[str, dict[str, Any]] | None] = {"": {"batch_size": 512}}
    search_space = {
        "share_scale": [0.3, 1.0, 3.0, 10.0, 30.0],
        "strength": [0.1, 0.5, 1.0],
        "per_sample": [False, True],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        values, ratio, _ = self.ratios(task, reporter, extra=0)
        share = torch.tensor(self.p.share_scale * len(task.forget) / len(task.data), device=task.device)
        threshold = percentiles(ordered_ratios(ratio), selection_percentile(share))
        write(task.original, dampen(values, ratio, threshold, self.p.strength))
        return settled(task.original, task, reporter)
