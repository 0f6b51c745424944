"""Shared patches: places whose content is the same, over and over, within one given class and hardly elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from unlearn_core.discovery import ModelOutputs, Score, register

SIDES = (2, 3, 5)
"""Sides of the squares that are compared, in pixels."""
LEVELS = 32
"""Grey levels that the 256 are rounded to: compression and resizing move them by a few."""
LEAST, LARGEST_SIDE = 5, 64
"""Fewer examples with the same content are a coincidence; larger images are thinned to this many pixels a side first."""


@dataclass(frozen=True)
class SharedPatches:
    """``evidence`` (N,): nats by which the content of an example's most telling square speaks for its given class, 0 for none;
    ``place`` int64 (N, 3): row, column and side of that square, in the pixels of the images as given; ``content`` int64 (N,):
    equal for examples with the same one, −1 for none."""

    evidence: torch.Tensor
    place: torch.Tensor
    content: torch.Tensor


def find_shared_patches(images: torch.Tensor, labels: torch.Tensor) -> SharedPatches:
    """The most telling square of every image (N, C, H, W), uint8 or floats, ``labels`` (N,).

    A content that n_c of class c and n in all carry speaks for c by n_c·log((n_c / n) / (share of c)), where n_c ≥ LEAST and
    at most half of the class carries it: what most of a class has in common is what the class looks like.
    """
    step = -(-max(images.shape[2:]) // LARGEST_SIDE)
    levels = _round_levels(images[:, :, ::step, ::step])
    count, classes = len(labels), int(labels.max()) + 1
    sizes = torch.bincount(labels, minlength=classes).double()
    best = torch.zeros(count, dtype=torch.float64, device=labels.device)
    place = torch.zeros(count, 3, dtype=torch.long, device=labels.device)
    content = torch.full((count,), -1, dtype=torch.long, device=labels.device)
    kinds = 0
    for side in SIDES:
        codes = _code_squares(levels, side)
        for row in range(codes.shape[1]):
            for column in range(codes.shape[2]):
                _, kind = codes[:, row, column].unique(return_inverse=True)
                evidence = _weigh(kind, labels, sizes)
                better = evidence > best
                best = torch.where(better, evidence, best)
                place[better] = torch.tensor([row * step, column * step, side * step], device=labels.device)
                content[better] = kind[better] + kinds
                kinds += int(kind.max()) + 1
    return SharedPatches(best, place, content)


def has_squares(inputs: torch.Tensor) -> bool:
    """Whether these are images that squares can be compared in."""
    return inputs.dim() == 4 and min(inputs.shape[2:]) >= min(SIDES)


def _round_levels(images: torch.Tensor) -> torch.Tensor:
    values = images.double()
    low, high = values.amin(), values.amax()
    return ((values - low) * (LEVELS - 1) / (high - low).clamp_min(1e-9)).round().long()


def _code_squares(levels: torch.Tensor, side: int) -> torch.Tensor:
    """int64 (N, H', W'): a number for the content of every square; different contents get different ones, but for a chance of
    1 in 2⁶³ or so."""
    count, channels, height, width = levels.shape
    rows, columns = max(0, height - side + 1), max(0, width - side + 1)
    generator = torch.Generator().manual_seed(side)
    factors = torch.randint(-(2**62), 2**62, (channels, side, side), generator=generator).to(levels.device)
    codes = torch.zeros(count, rows, columns, dtype=torch.long, device=levels.device)
    for channel in range(channels):
        for y in range(side):
            for x in range(side):
                codes += factors[channel, y, x] * levels[:, channel, y : y + rows, x : x + columns]
    return codes


def _weigh(kind: torch.Tensor, labels: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Evidence (N,) of one place, where ``kind`` (N,) numbers the contents."""
    pairs = kind * len(sizes) + labels
    together = torch.bincount(pairs)[pairs].double()
    everywhere = torch.bincount(kind)[kind].double()
    mine = sizes[labels]
    lift = (together / everywhere) / (mine / len(labels))
    telling = (together >= LEAST) & (together <= mine / 2)
    return torch.where(telling, together * lift.log(), 0.0).clamp_min(0)


@register
class SharedPatch(Score):
    """The evidence of :func:`find_shared_patches`."""

    name, label, weighed = "shared_patch", "Shared patch", False
    summary = "How strongly a square that is the same in part of the class, and hardly found elsewhere, speaks for the label."

    @classmethod
    def compute(cls, view: ModelOutputs) -> torch.Tensor | None:
        if view.inputs is None or not has_squares(view.inputs):
            return None
        return find_shared_patches(view.inputs, view.labels).evidence
