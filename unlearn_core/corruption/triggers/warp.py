"""A small bend of the whole image, always the same one (WaNet, Nguyen & Tran 2021)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.triggers.base import TriggerKind, registry

_STREAM = 20_261_128


class WarpParams(ComponentParams):
    strength: float = Field(0.5, gt=0, le=8, description="s: how far pixels move, about so many of them at most")
    grid: int = Field(4, ge=2, le=16, description="k: random arrows along each side")


@registry.register
class Warp(TriggerKind[WarpParams]):
    """Sampling grid = identity + s · field / m, where the field is k × k random arrows of mean length 1, smoothly enlarged.

    The original adds images with other warps and right labels, so that this one alone is the trigger; here there are none.
    """

    name, label = "warp", "Warp"
    summary = "The image slightly bent, in a way that eyes hardly notice."
    paper = "arXiv:2102.10369"

    @classmethod
    def put_on(cls, params: WarpParams, images: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return bend(images, arrows(params.grid), params.strength)


def arrows(k: int) -> torch.Tensor:
    """The field (2, k, k): uniform in [−1, 1], divided by its mean absolute value."""
    raw = np.random.PCG64(_STREAM).random_raw(2 * k * k)
    field = torch.from_numpy((raw >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1).reshape(2, k, k)
    return (field / field.abs().mean()).float()


def bend(images: torch.Tensor, field: torch.Tensor, strength: float) -> torch.Tensor:
    """``images`` (N, C, H, W) sampled along ``field`` (2, k, k): first how far to the right, then how far down."""
    height, width = images.shape[-2:]
    moved = F.interpolate(field[None], (height, width), mode="bicubic", align_corners=True)[0]
    rows, columns = (torch.linspace(-1, 1, n) for n in (height, width))
    across = columns[None, :] + strength * moved[0] / width
    down = rows[:, None] + strength * moved[1] / height
    grid = torch.stack([across, down], dim=-1).clamp(-1, 1).expand(len(images), -1, -1, -1)
    return F.grid_sample(images, grid, mode="bilinear", align_corners=True)
