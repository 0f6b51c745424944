"""How a network wants its pixels, in words: "imagenet", "none", or means/deviations of pixels from 0 to 1."""

from __future__ import annotations

import math

from unlearn_core.errors import UserError

IMAGENET, NONE = "imagenet", "none"
Triple = tuple[float, ...]


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
