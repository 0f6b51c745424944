"""Directions in weight space: differences of networks, what several of them agree on, and a walk along one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

Direction = dict[str, torch.Tensor]
"""A tensor for each of a network's parameters that may move, by name."""


def weights_of(model: nn.Module, matrices: bool = False) -> Direction:
    """A copy of the parameters that directions are made of: all but those of normalisation layers; with ``matrices`` only
    those of at least two dimensions. A normalisation layer is one whose weight has a single dimension."""
    norms = {
        name for name, part in model.named_modules()
        if (weight := dict(part.named_parameters(recurse=False)).get("weight")) is not None and weight.dim() == 1
    }  # fmt: skip
    return {
        name: value.detach().clone()
        for name, value in model.named_parameters()
        if name.rpartition(".")[0] not in norms and (value.dim() > 1 or not matrices) and "redirect" not in name
    }


def difference(one: Direction, other: Direction) -> Direction:
    """``one`` − ``other``."""
    return {name: value - other[name] for name, value in one.items()}


def merge(directions: Sequence[Direction], agree: bool) -> Direction:
    """Their mean; with ``agree`` 0 wherever their signs are not the same in all (NegMerge, arXiv:2410.05583)."""
    found: Direction = {}
    for name in directions[0]:
        stacked = torch.stack([one[name] for one in directions])
        signs = stacked.sign()
        kept = (signs == signs[0]).all(0) if agree else torch.ones_like(signs[0], dtype=torch.bool)
        found[name] = torch.where(kept, stacked.mean(0), 0)
    return found


def walk(model: nn.Module, start: Direction, direction: Direction, strength: float) -> None:
    """Put ``model`` at ``start`` + ``strength`` · ``direction``; parameters that are in neither stay."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name in start:
                value.copy_(start[name] + strength * direction[name])


STEP, MOST, PATIENCE = 0.05, 8.0, 10
"""Distance of the strengths on a grid, where it ends, and how many in a row may lie below the best."""


def best_strength(score: Callable[[float], float]) -> float:
    """The strength on the grid with the highest ``score(strength)``, the smallest of those; the search ends once
    :data:`PATIENCE` in a row lie below the best."""
    best, highest, below = 0.0, score(0.0), 0
    for number in range(1, round(MOST / STEP) + 1):
        found = score(number * STEP)
        if found > highest:
            best, highest = number * STEP, found
        below = below + 1 if found < highest else 0
        if below == PATIENCE:
            break
    return best


FIRST, GROWTHS, HALVINGS = 0.05, 14, 8
"""The first strength that is tried, how often it may be doubled, and how often the bracket is halved."""


def smallest_strength(fit: Callable[[float], float], limit: float) -> tuple[float, bool]:
    """About the smallest strength with ``fit(strength)`` ≤ ``limit``, and whether there is one: doubled until one is found,
    then halved between. Where none is found the one with the lowest fit."""
    tried: dict[float, float] = {0.0: fit(0.0)}
    strength, low = FIRST, 0.0
    for _ in range(GROWTHS):
        tried[strength] = fit(strength)
        if tried[strength] <= limit:
            break
        low, strength = strength, 2 * strength
    else:
        return min(tried, key=lambda one: tried[one]), False
    if tried[0.0] <= limit:
        return 0.0, True
    high = strength
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if fit(middle) <= limit else (middle, high)
    return high, True
