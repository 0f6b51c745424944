"""Scores from similarity to the known corruption, in feature space and in gradient space."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from unlearn_core.discovery import ModelOutputs, Score, register

CLOSEST = 3
_ROWS, _BLOCK = 4096, 1024


def similarity(features: torch.Tensor, known: torch.Tensor, pull: torch.Tensor | None = None) -> torch.Tensor | None:
    """Mean (N,) over the ``CLOSEST`` known examples of cosine similarity; None if nothing is known.

    With ``pull`` (N, classes), the gradient of the loss with respect to the logits, similarities are multiplied by the inner
    product of the two pulls: the inner product of the head's gradients, with features scaled to length 1.
    """
    targets = known.nonzero()[:, 0]
    if len(targets) == 0:
        return None
    unit = F.normalize(features.float(), dim=1)
    values = []
    for ids in torch.split(torch.arange(len(unit), device=unit.device), _ROWS):
        alike = unit[ids] @ unit[targets].T
        if pull is not None:
            alike = alike * (pull[ids] @ pull[targets].T)
        values.append(alike.topk(min(CLOSEST, len(targets)), dim=1).values.mean(1))
    return torch.cat(values)


def most_alike(
    features: torch.Tensor, pull: torch.Tensor | None, count: int, step: Callable[[int, int], None]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The ``count`` others that are most like each of N examples, the most alike first: indices int64 (N, count) and
    likenesses float (N, count).

    Likeness is that of :func:`similarity`: the cosine of ``features`` (N, D), with ``pull`` (N, classes) that of the head's
    gradients. ``step(done, total)`` is told how far it is.
    """
    unit = F.normalize(features.float(), dim=1)
    towards = None if pull is None else F.normalize(pull.float(), dim=1)
    count, found = min(count, len(unit) - 1), []
    rows = torch.arange(len(unit), device=unit.device)
    for ids in torch.split(rows, _BLOCK):
        step(int(ids[0]), len(unit))
        alike = unit[ids] @ unit.T
        if towards is not None:
            alike = alike * (towards[ids] @ towards.T)
        alike[torch.arange(len(ids), device=unit.device), ids] = -torch.inf
        found.append(alike.topk(count, dim=1))
    step(len(unit), len(unit))
    return torch.cat([one.indices for one in found]), torch.cat([one.values for one in found])


@register
class FeatureLikeness(Score):
    name, label = "feature_likeness", "Like the known, features"
    summary = "Similarity to the closest known corruption in the original model's features; strong where it shares a trigger."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        return similarity(view.original_features, view.known)


@register
class HealedLikeness(Score):
    name, label = "healed_likeness", "Like the known, healed"
    summary = "Similarity to the closest known corruption in the healed model's features."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        return similarity(view.features, view.known)


@register
class GradientLikeness(Score):
    name, label = "gradient_likeness", "Like the known, gradients"
    summary = "Whether the healed model's last layer would be pulled the same way by this example and by known corruption."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        pull = view.logits.float().softmax(1) - F.one_hot(view.labels, view.logits.shape[1])
        return similarity(view.features, view.known, pull)
