"""How a network wants its pixels, in words: "imagenet", "none", or means/deviations of pixels from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from unlearn_core.errors import UserError
from unlearn_core.models.checkpoints.pickles import Damaged
from unlearn_core.models.checkpoints.unwrapping import PIXELS, Tensor, is_tensor, mappings

IMAGENET, NONE = "imagenet", "none"
Triple = tuple[float, ...]
_LARGEST = 4.0
"""Pixels from 0 to 1 have smaller means and deviations; larger ones are those of pixels from 0 to 255."""


def parse_normalise(text: str) -> tuple[Triple, Triple]:
    """Means and deviations of three channels; raises :class:`UserError` for anything else."""
    if text == IMAGENET:
        return (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    if text == NONE:
        return (0.0,) * 3, (1.0,) * 3
    try:
        mean, std = (tuple(float(number) for number in part.split(",")) for part in text.split("/"))
    except ValueError:
        mean, std = (), ()
    fine = len(mean) == len(std) == 3 and all(map(math.isfinite, mean + std)) and all(value > 0 for value in std)
    if not fine:
        raise UserError(
            "A normalisation is imagenet, none, or three means and three deviations above 0 of pixels from 0 to 1, such as "
            f"0.5,0.5,0.5/0.25,0.25,0.25 (got {text[:60]!r})."
        )
    return mean, std


def write_normalise(mean: Triple, std: Triple) -> str:
    """The text for means and deviations; one channel stands for three."""
    return "/".join(",".join(f"{value:.9g}" for value in (part * 3 if len(part) == 1 else part)) for part in (mean, std))


def normalisation_in(tree: object, build: Callable[[Tensor], torch.Tensor]) -> tuple[str, str] | None:
    """The normalisation that a layer in front of the network keeps among its weights (``normalize.mean``, ``normalize.std``):
    as text, and the names it was read from; None where there is none that can be used. Pixels up to 255 count as such."""
    for _, among in mappings(tree):
        pairs: dict[str, dict[str, str]] = {}
        for key, value in among.items():
            if isinstance(key, str) and is_tensor(value) and math.prod(value.shape) in (1, 3) and (named := PIXELS.match(key)):
                pairs.setdefault(named["stem"], {})["mean" if named["kind"].endswith(("mean", "mu")) else "std"] = key
        for pair in pairs.values():
            if len(pair) < 2:
                continue
            try:
                mean, std = (tuple(build(among[pair[kind]]).double().flatten().tolist()) for kind in ("mean", "std"))
            except (Damaged, RuntimeError):
                continue
            scale = 255.0 if max(*map(abs, mean), *map(abs, std)) > _LARGEST else 1.0
            text = _write_shortest(tuple(v / scale for v in mean), tuple(v / scale for v in std))
            if text:
                return text, f"{pair['mean']!r} and {pair['std']!r}"
    return None


def _write_shortest(mean: Triple, std: Triple) -> str:
    """The text for these numbers, by its word where there is one; "" for what is no normalisation."""
    text = write_normalise(mean, std)
    try:
        found = parse_normalise(text)
    except UserError:
        return ""
    for word in (IMAGENET, NONE):
        known = parse_normalise(word)
        if all(abs(a - b) < 1e-6 for one, other in zip(found, known, strict=True) for a, b in zip(one, other, strict=True)):
            return word
    return text
