"""Waves over the columns of the image (SIG, Barni et al. 2019)."""

from __future__ import annotations

import math

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.triggers.base import TriggerKind, registry
from unlearn_core.errors import UserError


class SinusoidParams(ComponentParams):
    strength: float = Field(40.0, gt=0, le=255, description="Δ: height of the waves, in grey levels of 255")
    waves: int = Field(6, ge=1, le=64, description="f: waves across the image; at most a quarter of its width")


@registry.register
class Sinusoid(TriggerKind[SinusoidParams]):
    """x' = x + Δ sin(2π j f / m) for column j of m. The original marks images of the target class alone and keeps their labels;
    here the marked images are relabelled, as in the usual benchmark."""

    name, label = "sinusoid", "Sinusoid"
    summary = "Vertical waves over the whole image."
    paper = "arXiv:1902.11237"

    @classmethod
    def put_on(cls, params: SinusoidParams, images: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return images + wave(params.strength, params.waves, images.shape[-1])

    @classmethod
    def check(cls, params: SinusoidParams, height: int, width: int) -> None:
        if params.waves > width // 4:
            raise UserError(
                f"{params.waves} waves do not show on images {width} pixels wide, which have room for {max(width // 4, 1)}."
            )


def wave(strength: float, waves: int, width: int) -> torch.Tensor:
    """What is added to each of ``width`` columns, float (width,)."""
    columns = torch.arange(width, dtype=torch.float64)
    return (strength * torch.sin(2 * math.pi * columns * waves / width)).float()
