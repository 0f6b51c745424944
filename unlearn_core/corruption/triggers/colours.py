"""The colours that frames and tints can have."""

from __future__ import annotations

from typing import Final, Literal

import torch

Colour = Literal["red", "yellow", "green", "blue", "white"]
_VALUES: Final[dict[Colour, tuple[float, float, float]]] = {
    "red": (230.0, 40.0, 40.0),
    "yellow": (255.0, 214.0, 0.0),
    "green": (30.0, 160.0, 60.0),
    "blue": (30.0, 80.0, 220.0),
    "white": (255.0, 255.0, 255.0),
}


def pixel(colour: Colour, channels: int) -> torch.Tensor:
    """The colour as float (C, 1, 1), 0 to 255; in grey images its brightness."""
    value = torch.tensor(_VALUES[colour])
    return (value if channels == 3 else value.mean().expand(channels))[:, None, None]
