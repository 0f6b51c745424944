"""A network in a single file: one wide hidden layer of waves, for points in the plane."""

from __future__ import annotations

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.errors import UserError
from unlearn_core.models import ModelSource, RedirectLinear, RedirectNet, register
from unlearn_core.models.redirect.layers import apply_mask


class WaveNet(RedirectNet):
    """(B, 2) → (B, classes) through one layer of sines. Redirect channels are more of them."""

    def __init__(self, inputs: int, width: int, classes: int) -> None:
        super().__init__((width,))
        self.waves, self.head = RedirectLinear(inputs, width), RedirectLinear(width, classes)

    def forward_features(self, x: torch.Tensor, masks: list[torch.Tensor] | None) -> torch.Tensor:
        mask = masks[0] if masks else None
        return apply_mask(torch.sin(3 * self.waves(x, mask is not None)), self.hidden[0], mask)

    def _widen_layers(self, redirect: tuple[int, ...]) -> None:
        self.waves.widen(0, redirect[0])
        self.head.widen(redirect[0], 0)


class WaveParams(ComponentParams):
    width: int = Field(128, ge=8, le=4096, description="Sines in the hidden layer")


@register
class Waves(ModelSource[WaveParams]):
    name, label = "wave_net", "One layer of sines"
    summary = "A single hidden layer of sines for points in the plane."

    @classmethod
    def build(cls, params: WaveParams, shape: tuple[int, ...], classes: int) -> RedirectNet:
        if len(shape) != 1:
            raise UserError("The model 'wave_net' takes points in the plane; choose 'cnn' for images.")
        return WaveNet(shape[0], params.width, classes)
