"""Selective synaptic dampening (Foster et al. 2024, arXiv:2308.07707)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.dampening.dampening import Dampen, DampenParams, dampen
from unlearn_core.methods.dampening.importance import write
from unlearn_core.methods.shared.rounds import settled
from unlearn_core.training import Reporter


class ThresholdParams(DampenParams):
    threshold: float = Field(
        10.0,
        gt=0,
        le=1e6,
        description="α: dampen weights so many times as important for F. Goes with batch_size: both "
        "sets are in batches of one size here, which dampens far more than the published program's own batches, so thresholds "
        "from the literature don't carry over",
    )


class ThresholdDampen(Dampen[ThresholdParams]):
    """Dampen every parameter whose ratio exceeds a given threshold, by λ over the ratio."""

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        values, ratio, _ = self.ratios(task, reporter, extra=0)
        write(task.original, dampen(values, ratio, self.p.threshold, self.p.strength))
        return settled(task.original, task, reporter)


@register
class Ssd(ThresholdDampen):
    """θᵢ ← θᵢ·min(1, λ·I_D,ᵢ / I_F,ᵢ) where I_F,ᵢ > α·I_D,ᵢ: one edit, no training.

    Symbols: I_S,ᵢ is the mean over batches of S of the squared gradient of the loss, the diagonal of a Fisher matrix (of
    every example's own gradient with ``per_sample``); D is all training data or, with ``reference``, the retain set; α is
    ``threshold``, λ is ``strength``, batches have ``batch_size`` examples at most.
    Given: F and D with given labels; the original in eval mode.
    Fails: α has to be chosen, and nothing tells when it is right. Where corrupted examples share no weights of their own
    the edit does nothing or hits what clean data need.
    Source: Foster et al. 2024, arXiv:2308.07707, eq. 8 and 9.
    Values: α, λ and batch size are the published ones for random samples of CIFAR-10. They are for the published program's
    own batches, 128 of all data and whatever F has, where both sets are in batches of one size here: that dampens far more,
    so α from the literature does not carry over, and is tried as it stands with ``--values paper``.
    """

    name, label, paper = "ssd", "SSD", "arXiv:2308.07707"
    revision = 2  # statistics measured on the retain set
    summary = (
        "Shrinks, in one edit and without training, the weights that matter far more for the forget set than for all of "
        "the data. It relies on the corruption having weights of its own, and on a threshold that has to be chosen. "
        "Where corrupted examples share nothing, or share their weights with clean ones, it either changes nothing or "
        "breaks the model."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    score, squared = "loss", True
    presets = {"digits": {"threshold": 30.0}, "points": {"threshold": 100.0}}
    published: ClassVar[dict[str, dict[str, Any]] | None] = {"": {"batch_size": 128}}
    search_space = {
        "threshold": [5.0, 10.0, 20.0, 30.0, 60.0],
        "strength": [0.1, 0.5, 1.0, 5.0],
        "per_sample": [False, True],
    }
