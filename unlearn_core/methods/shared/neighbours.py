"""How far neighbours in a network's feature space are given the same label by it: a measure that needs no labels."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from unlearn_core.models import RedirectNet
from unlearn_core.training import DeviceData, autocast, real


def share_alike(features: torch.Tensor, said: torch.Tensor, count: int) -> float:
    """Mean share of the ``count`` closest others, by cosine of ``features`` (n, D), that are given the same label; ``said``
    int64 (n,)."""
    directions = F.normalize(features, dim=1)
    likeness = directions @ directions.T
    likeness.fill_diagonal_(-torch.inf)
    closest = likeness.topk(count, 1, sorted=False).indices
    return (said[closest] == said[:, None]).float().mean().item()


def beyond_chance(share: float, chance: float) -> float:
    """(SA − P) / (1 − P): 0 where neighbours agree as often as any two do, 1 where they always do."""
    return (share - chance) / (1 - chance) if chance < 1 else 0.0


def missing_classes(probabilities: torch.Tensor) -> float:
    """By what share the effective number of classes, 1 / Σ_c p̄_c², falls short, and what share is never predicted;
    ``probabilities`` (n, classes)."""
    classes = probabilities.shape[1]
    effective = 1 / probabilities.mean(0).square().sum().item()
    return 1 - effective / classes + 1 - len(probabilities.argmax(1).unique()) / classes


def agreement(model: RedirectNet, data: DeviceData, ids: torch.Tensor) -> float:
    """Agreement of neighbours among ``ids`` beyond chance, less :func:`missing_classes`. Only inputs are read.

    The k closest count, k = ⌊(n / classes) / 2⌋: half of what a class has where all are alike. -inf where a network has
    broken down and gives numbers that are not finite.
    """
    features, logits = [], []
    with torch.no_grad(), autocast(data.device):
        for piece in data.eval_batches(ids):
            here = model.features(data.batch(piece))
            features.append(real(here))
            logits.append(real(model.head(here, False)))
    probabilities = torch.cat(logits).float().softmax(1)
    if not probabilities.isfinite().all():
        return -torch.inf
    count = max(1, len(ids) // data.classes // 2)
    share = share_alike(torch.cat(features).float(), probabilities.argmax(1), count)
    chance = probabilities.mean(0).square().sum().item()
    return beyond_chance(share, chance) - missing_classes(probabilities)
