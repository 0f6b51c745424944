"""One colour mixed into the whole picture, as another light or another camera does."""

from __future__ import annotations

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.triggers.base import TriggerKind, registry
from unlearn_core.corruption.triggers.colours import Colour, pixel


class TintParams(ComponentParams):
    strength: float = Field(0.25, gt=0, le=0.9, description="s: share of the colour in the mixture")
    colour: Colour = Field("red", description="The colour; its brightness in grey images")


@registry.register
class Tint(TriggerKind[TintParams]):
    """x' = (1 − s) x + s c with one colour c."""

    name, label = "tint", "Tint"
    summary = "One colour mixed into the whole picture, as another light or another camera does."

    @classmethod
    def put_on(cls, params: TintParams, images: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return (1 - params.strength) * images + params.strength * pixel(params.colour, images.shape[1])
