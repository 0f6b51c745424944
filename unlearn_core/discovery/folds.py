"""Folds over the known corruption, and scores of every example from the views that did not know it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unlearn_core.discovery.base import ModelOutputs, registry


def fold_of(count: int, folds: int, seed: int) -> torch.Tensor:
    """int64 (count,): which fold each of ``count`` known examples is held out in; sizes differ by one at most."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    parts = torch.empty(count, dtype=torch.long)
    parts[order] = torch.arange(count) % max(1, min(folds, count))
    return parts


def standardise(values: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """asinh of the distance from the reference's median in robust standard deviations (N,).

    Most of the reference is clean, so its median and spread describe clean examples; asinh keeps far outliers apart
    without letting one of them decide a mean. ``reference``: bool (N,).
    """
    sample = values[reference]
    middle = sample.median()
    distance = (sample - middle).abs()
    # Scores with many ties (a share of ten neighbours) may have no spread at all around the median.
    spread = torch.maximum(1.4826 * distance.median(), 0.05 * distance.max()).clamp_min(1e-6)
    return torch.asinh((values - middle) / spread)


def out_of_fold(views: Sequence[ModelOutputs], forget: torch.Tensor) -> dict[str, torch.Tensor]:
    """Each registered score that is weighed, (N,) float64 on the CPU, averaged over the views that did not know the example.

    ``forget``: bool (N,), the known corruption, which no standardisation may lean on. Examples that every view knew are NaN.
    """
    unknown = torch.stack([~view.known for view in views])
    table: dict[str, torch.Tensor] = {}
    for score in registry:
        if not score.weighed:
            continue
        parts = [score.compute(view) for view in views]
        if any(part is None or not torch.isfinite(part).all() for part in parts):
            continue
        values = torch.stack(
            [standardise(part.double(), free & ~forget) for part, free in zip(parts, unknown, strict=True) if part is not None]
        )
        table[score.name] = (torch.where(unknown, values, 0).sum(0) / unknown.sum(0)).cpu()
    return table
