"""What a simulated person gives beside the forget set, drawn from the ground truth: right labels, and checked examples."""

from __future__ import annotations

import torch

from unlearn_core.corruption.truth import GroundTruth
from unlearn_core.errors import UserError

_TYPING, _CHECKING = 4001, 4002
"""Added to the seed, so that neither draw depends on how many numbers another one took."""


def type_labels(truth: GroundTruth, forget: torch.Tensor, typed: float, slips: float, seed: int, classes: int) -> torch.Tensor:
    """int64 (n_f,): a label for the share ``typed`` of ``forget``, -1 for the rest; of these the share ``slips`` is wrong.

    The numbers that decide belong to the examples: with a larger share, or a larger forget set, the same ones are among those
    that are typed first. A slip is any other class than the right one.
    """
    generator = torch.Generator().manual_seed(seed + _TYPING)
    order, luck = torch.rand(2, len(truth.clean_labels), generator=generator)
    other = torch.randint(1, classes, (len(truth.clean_labels),), generator=generator)
    right = truth.clean_labels[forget]
    known = (right >= 0).nonzero()[:, 0]
    chosen = _first(known, order[forget], typed)
    found = torch.full_like(right, -1)
    found[chosen] = right[chosen]
    slipped = _first(chosen, luck[forget], slips)
    found[slipped] = (right[slipped] + other[forget][slipped]) % classes
    return found


def check_examples(truth: GroundTruth, labels: torch.Tensor, forget: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """int64 (count,), ascending: examples outside ``forget`` whose given label (``labels``, (N,)) the person finds right.

    Raises :class:`UserError` where there are fewer.
    """
    free = torch.ones(len(labels), dtype=torch.bool)
    free[forget] = False
    right = (free & (truth.clean_labels == labels)).nonzero()[:, 0]
    if count > len(right):
        raise UserError(f"Outside the forget set {len(right):,} examples are right, so {count:,} cannot be checked.")
    order = torch.rand(len(labels), generator=torch.Generator().manual_seed(seed + _CHECKING))
    return right[order[right].argsort()[:count]].sort().values


def _first(places: torch.Tensor, order: torch.Tensor, share: float) -> torch.Tensor:
    """The share of ``places`` that comes first in ``order``."""
    return places[order[places].argsort()[: int(share * len(places) + 0.5)]]
