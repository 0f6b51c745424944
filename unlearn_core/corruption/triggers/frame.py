"""A coloured frame around the picture."""

from __future__ import annotations

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.triggers.base import TriggerKind, registry
from unlearn_core.corruption.triggers.colours import Colour, pixel
from unlearn_core.errors import UserError


class FrameParams(ComponentParams):
    width: int = Field(2, ge=1, le=16, description="Width of the frame in pixels")
    colour: Colour = Field("red", description="Colour of the frame; its brightness in grey images")


@registry.register
class Frame(TriggerKind[FrameParams]):
    name, label = "frame", "Frame"
    summary = "A coloured frame around the whole picture, as a camera or a website may add."

    @classmethod
    def put_on(cls, params: FrameParams, images: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        framed = pixel(params.colour, images.shape[1]).expand(images.shape).clone()
        inside = slice(params.width, -params.width)
        framed[..., inside, inside] = images[..., inside, inside]
        return framed

    @classmethod
    def check(cls, params: FrameParams, height: int, width: int) -> None:
        if 2 * params.width >= min(height, width):
            raise UserError(f"A frame {params.width} pixels wide leaves nothing of images of {height}×{width}.")
