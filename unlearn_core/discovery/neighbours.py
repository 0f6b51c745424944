"""Scores from the neighbourhood in feature space: do the nearest examples carry another label?"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from unlearn_core.discovery import ModelOutputs, Score, register

NEIGHBOURS = 10
_ROWS = 1024


def disagreement(features: torch.Tensor, view: ModelOutputs, count: int = NEIGHBOURS) -> torch.Tensor:
    """Share (N,) of each example's ``count`` nearest neighbours (cosine) with another given label.

    Known corruption counts as no neighbour: its labels are known to be wrong.
    """
    unit = F.normalize(features.float(), dim=1)
    trusted = (~view.known).nonzero()[:, 0]
    count = min(count, len(trusted) - 1)
    position = torch.full((len(unit),), -1, device=unit.device)
    position[trusted] = torch.arange(len(trusted), device=unit.device)
    shares = []
    for ids in torch.split(torch.arange(len(unit), device=unit.device), _ROWS):
        alike = unit[ids] @ unit[trusted].T
        own = position[ids]
        rows = (own >= 0).nonzero()[:, 0]
        alike[rows, own[rows]] = -torch.inf
        nearest = trusted[alike.topk(count, dim=1).indices]
        shares.append((view.labels[nearest] != view.labels[ids][:, None]).float().mean(1))
    return torch.cat(shares)


@register
class HealedNeighbours(Score):
    name, label = "healed_neighbours", "Neighbours, healed"
    summary = "Share of the ten nearest examples in the healed model's features that carry another label."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        return disagreement(view.features, view)


@register
class OriginalNeighbours(Score):
    name, label = "original_neighbours", "Neighbours, original"
    summary = "Share of the ten nearest examples in the original model's features that carry another label."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor:
        return disagreement(view.original_features, view)
