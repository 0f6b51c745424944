"""A weak model that has not seen what it judges: ridge regression on random patches, over folds of the training data.

It stands for a person who looks briefly: right most of the time, and wrong where images look alike.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F

from unlearn_core.datasets import LabelledData

FOLDS = 4
_SIDE, _PATCH, _STRIDE, _FILTERS, _POOLED = 32, 6, 3, 32, 3
_WAVES = 64
_PENALTY = 1e-3
"""Of the mean squared feature: ridge regression's λ."""
_AT_A_TIME = 256


@functools.lru_cache(maxsize=1)  # a page asks again for every move of a slider
def scores_out_of_fold(train: LabelledData, seed: int) -> torch.Tensor:
    """float64 (N, K): a score of every class for every example, from a regression on one-hot labels of the other folds."""
    features = _features(train, seed)
    wanted = F.one_hot(train.labels, train.classes).double()
    fold = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed)) % FOLDS
    scores = torch.empty_like(wanted)
    for k in range(FOLDS):
        inside, outside = features[fold != k], features[fold == k]
        ridge = _PENALTY * inside.square().mean() * len(inside) * torch.eye(inside.shape[1], dtype=torch.float64)
        weights = torch.linalg.solve(inside.T @ inside + ridge, inside.T @ wanted[fold != k])
        scores[fold == k] = outside @ weights
    return scores


def second_choice(scores: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The best-scored class (N,) of each example besides its own, and how far (N,) that one lies below the own class's score:
    negative where the model would have chosen it."""
    own = scores.gather(1, labels[:, None])[:, 0]
    best, other = scores.scatter(1, labels[:, None], -torch.inf).max(1)
    return other, own - best


def _features(train: LabelledData, seed: int) -> torch.Tensor:
    """float64 (N, D), the last one constant. In doubles, so that the number of threads decides no order of examples."""
    generator = torch.Generator().manual_seed(seed)
    found = _patch_features(train.inputs, generator) if train.is_image else _wave_features(train.inputs, generator)
    return torch.cat([found, torch.ones(len(found), 1, dtype=torch.float64)], dim=1)


def _patch_features(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """How much each of a few patches from the images themselves, without their mean, is found in each part of an image."""
    size = min(_SIDE, *images.shape[-2:])
    patch = min(_PATCH, size // 2)
    chosen = torch.randint(len(images), (_FILTERS,), generator=generator)
    row, column = (torch.randint(size - patch + 1, (_FILTERS,), generator=generator).tolist() for _ in range(2))
    drawn = _small(images[chosen], size)
    cut = [image[:, r : r + patch, c : c + patch] for image, r, c in zip(drawn, row, column, strict=True)]
    filters = torch.stack([one - one.mean((-2, -1), keepdim=True) for one in cut])
    filters = filters / filters.flatten(1).norm(dim=1).clamp_min(1e-6)[:, None, None, None]
    step = min(_STRIDE, max(1, patch // 2))
    parts = []
    for some in images.split(_AT_A_TIME):
        # Torch has no quick convolution of doubles; a product of matrices is much quicker.
        windows = _small(some, size).unfold(2, patch, step).unfold(3, patch, step).permute(0, 2, 3, 1, 4, 5)
        found = windows.flatten(3) @ filters.flatten(1).T
        both = torch.cat([found.relu(), (-found).relu()], dim=-1)
        parts.append(F.adaptive_avg_pool2d(both.permute(0, 3, 1, 2), _POOLED).flatten(1))
    return torch.cat(parts)


def _small(images: torch.Tensor, size: int) -> torch.Tensor:
    small = images.double() / 255
    return small if max(small.shape[-2:]) == size else F.adaptive_avg_pool2d(small, size)


def _wave_features(points: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Random waves over the plane (Rahimi and Recht 2007)."""
    x = points.double()
    x = (x - x.mean(0)) / x.std(0).clamp_min(1e-6)
    angles = x @ (2 * torch.randn(x.shape[1], _WAVES, generator=generator, dtype=torch.float64))
    return torch.cat([angles.sin(), angles.cos()], dim=1)
