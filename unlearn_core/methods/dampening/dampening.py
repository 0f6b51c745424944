"""Selective synaptic dampening: shrink the parameters that matter more for the forget set than for the rest."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeVar

import torch
from pydantic import Field

from unlearn_core.methods.base import Method, MethodParams, UnlearningTask
from unlearn_core.methods.dampening.importance import (
    EXAMPLE_CHUNK,
    SCORES,
    Work,
    flatten,
    importance,
    matched_pieces,
    trainable,
)
from unlearn_core.training import Reporter

REFERENCE = "What importance is compared with: all training data or the retain set"


class DampenParams(MethodParams):
    strength: float = Field(1.0, gt=0, le=100, description="λ: selected weights are multiplied by λ / ratio; lower is harsher")
    reference: Literal["all", "retain"] = Field("all", description=REFERENCE)
    per_sample: bool = Field(False, description="Importance from every example's own gradient, not from batch means")
    batch_size: int = Field(64, ge=1, le=8192, description="Largest batch of an importance, the same for both sets")


P = TypeVar("P", bound=DampenParams)


def dampen(values: torch.Tensor, ratio: torch.Tensor, threshold: torch.Tensor | float, strength: float) -> torch.Tensor:
    """θ·min(1, λ/ρ) where ρ > threshold, else θ (arXiv:2308.07707, eq. 8 and 9). All (P,).

    A ratio of ∞ (no importance for the reference) gives 0; 0/0 is never selected.
    """
    return torch.where(ratio > threshold, values * (strength / ratio).clamp(max=1), values)


def ordered_ratios(ratio: torch.Tensor) -> torch.Tensor:
    """The finite ratios in ascending order: what percentiles are taken of."""
    return ratio[ratio.isfinite()].sort().values


def percentiles(ordered: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """The q-th percentiles (0–100) of an ascending vector, with linear interpolation; 0 where it is empty."""
    if len(ordered) == 0:
        return torch.zeros_like(q, dtype=ordered.dtype)
    position = q.double().clamp(0, 100) / 100 * (len(ordered) - 1)
    below = position.floor().long()
    above = (below + 1).clamp(max=len(ordered) - 1)
    low, high = ordered[below].double(), ordered[above].double()
    return (low + (high - low) * (position - below)).to(ordered.dtype)


def selection_percentile(share: torch.Tensor) -> torch.Tensor:
    """q = 100 − ln(1 + 100·share): the percentile of the ratios above which weights are dampened (arXiv:2402.10098)."""
    return 100 - torch.log1p(100 * share)


class Dampen(Method[P]):
    """Base of the one-shot methods: two importances, then an edit. The model stays in eval mode; nothing is trained.

    Batch-norm scales and shifts are dampened like every other parameter. The importances are of the original with its own
    running statistics; those of the edited network are measured anew, as after any change of weights (:func:`settled`), where
    the published programs leave the original's.
    """

    family = "dampening"
    score: ClassVar[Literal["loss", "squared_norm", "norm"]]
    squared: ClassVar[bool]

    def ratios(self, task: UnlearningTask, reporter: Reporter, extra: int) -> tuple[torch.Tensor, torch.Tensor, Work]:
        """Parameters (P,), importance for F over importance for the reference (P,), and the work with ``extra`` pieces left."""
        p = self.p
        model, generator = task.original.eval(), torch.Generator().manual_seed(task.seed + 1)
        compared = task.everything if p.reference == "all" else task.retain
        forget, reference = matched_pieces(task.forget, compared, p.batch_size, generator)
        if p.per_sample:  # Pieces then are only a unit of work.
            forget, reference = list(task.forget.split(EXAMPLE_CHUNK)), list(compared.split(EXAMPLE_CHUNK))
        work = Work(reporter, len(forget) + len(reference) + extra)
        ours, theirs = (
            importance(model, task.data, pieces, SCORES[self.score], squared=self.squared, per_sample=p.per_sample, work=work)
            for pieces in (forget, reference)
        )
        return flatten([q.detach() for q in trainable(model)]), ours / theirs, work
