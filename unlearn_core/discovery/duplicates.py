"""Near duplicates with different labels: is the nearest example by content one of another given class?"""

from __future__ import annotations

import torch

from unlearn_core.discovery import ModelOutputs, Score, register

_ROWS = 512


def nearest_by_label(inputs: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Distances (N,) to the nearest example with the same given label, and with another one; infinite where there is none.

    ``inputs`` (N, …), compared as they are, number by number.
    """
    flat = inputs.reshape(len(inputs), -1).float()
    same, other = (torch.full((len(flat),), torch.inf, device=flat.device) for _ in range(2))
    for ids in torch.split(torch.arange(len(flat), device=flat.device), _ROWS):
        distance = torch.cdist(flat[ids], flat)
        distance[torch.arange(len(ids), device=flat.device), ids] = torch.inf
        alike = labels[ids][:, None] == labels
        same[ids] = distance.masked_fill(~alike, torch.inf).amin(1)
        other[ids] = distance.masked_fill(alike, torch.inf).amin(1)
    return same, other


@register
class NearDuplicates(Score):
    """d_same / (d_same + d_other), the distances to the nearest example with the same and with another given label: 1 where a
    twin has another label."""

    name, label, weighed = "near_duplicates", "Near duplicates", False
    summary = "Whether the example that is nearest by content carries another label: 1 for a twin, 0.5 where both are as near."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        if view.inputs is None:
            return None
        same, other = nearest_by_label(view.inputs, view.labels)
        # A class of one example has no likeness to measure by, and one class alone no other.
        share = same / (same + other).clamp_min(1e-12)
        share = torch.where(same.isinf() | other.isinf(), 0.5, share)
        return torch.where((same == 0) & (other == 0), 0.5, share)
