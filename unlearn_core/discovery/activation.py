"""Two groups within each given class, by the original's features: activation clustering, and the split itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from unlearn_core.discovery import ModelOutputs, Score, register
from unlearn_core.discovery.spectral import DIRECTIONS, within_classes

SMALL = 0.35
"""Largest share of its class at which the smaller group counts as suspect."""
LEAST = 8
"""Classes with fewer examples are not split."""
_STARTS, _STEPS = 8, 50


@dataclass(frozen=True)
class ClassSplit:
    """``ids`` (n,): a given class; ``smaller`` bool (n,): its smaller group; ``nearer`` (n,): from −1 at the centre of the
    larger group to 1 at that of the smaller one; ``silhouette``: how well they are set apart, −1 to 1."""

    ids: torch.Tensor
    smaller: torch.Tensor
    nearer: torch.Tensor
    silhouette: float


def split_classes(view: ModelOutputs, features: torch.Tensor) -> list[ClassSplit]:
    """Two-means within every given class on the first principal components of ``features`` (N, D)."""
    return [_split(ids, here) for ids, here in within_classes(view, features, LEAST)]


def two_means(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(bool (n,) of the second group, centres (2, d)) of the best of several starts of Lloyd's algorithm."""
    best: tuple[float, torch.Tensor, torch.Tensor] | None = None
    generator = torch.Generator().manual_seed(0)
    for _ in range(_STARTS):
        picked = torch.randperm(len(points), generator=generator)[:2].to(points.device)
        centres = points[picked]
        second = torch.zeros(len(points), dtype=torch.bool, device=points.device)
        for _ in range(_STEPS):
            distance = torch.cdist(points, centres)
            now = distance[:, 1] < distance[:, 0]
            if not now.any() or now.all() or torch.equal(now, second):
                break
            second = now
            centres = torch.stack([points[~now].mean(0), points[now].mean(0)])
        inertia = float((torch.cdist(points, centres).amin(1) ** 2).sum())
        if second.any() and not second.all() and (best is None or inertia < best[0]):
            best = inertia, second, centres
    return (torch.zeros(len(points), dtype=torch.bool, device=points.device), points[:2]) if best is None else best[1:]


def _split(ids: torch.Tensor, features: torch.Tensor) -> ClassSplit:
    centred = features - features.mean(0)
    points = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:DIRECTIONS].T
    second, centres = two_means(points)
    if second.float().mean() > 0.5:
        second, centres = ~second, centres.flip(0)
    to = torch.cdist(points, centres)
    nearer = (to[:, 0] - to[:, 1]) / to.sum(1).clamp_min(1e-12)
    return ClassSplit(ids, second, nearer, _silhouette(points, second))


def _silhouette(points: torch.Tensor, second: torch.Tensor) -> float:
    """Mean silhouette of two groups (Rousseeuw 1987); 0 where one of them has fewer than two members."""
    groups = [points[~second], points[second]]
    if min(map(len, groups)) < 2:
        return 0.0
    values = []
    for own, other in (groups, groups[::-1]):
        inside = torch.cdist(own, own).sum(1) / (len(own) - 1)
        outside = torch.cdist(own, other).mean(1)
        values.append((outside - inside) / torch.maximum(inside, outside).clamp_min(1e-12))
    return float(torch.cat(values).mean())


@register
class ActivationClustering(Score):
    """Closeness to the smaller of two groups of the class, times their silhouette; lowest where it holds over 35 % of the
    class. Chen et al. 2018, arXiv:1811.03728, with principal instead of independent components."""

    name, label, weighed = "activation_clustering", "Activation clustering", False
    summary = "Whether the example lies in the smaller of two groups that the features of the given class fall into."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        values = torch.full((len(view.labels),), -1.0, dtype=torch.float64, device=view.labels.device)
        for split in split_classes(view, view.original_features):
            if 0 < split.smaller.double().mean() <= SMALL:
                values[split.ids] = split.nearer * max(0.0, split.silhouette)
        return values
