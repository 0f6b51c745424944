"""A three-layer convolutional network for images of 8×8 to 32×32."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.component import ComponentParams
from unlearn_core.errors import UserError
from unlearn_core.models import ModelSource, RedirectConv2d, RedirectLinear, RedirectNet, RedirectNorm2d, register
from unlearn_core.models.pooling import pool, pool_to_2x2
from unlearn_core.models.redirect.layers import apply_mask


class CnnNet(RedirectNet):
    """3×3 convolutions of w, 2w, 2w channels with batch norm and ReLU, pooled to 2×2, and a linear head."""

    def __init__(self, inputs: int, width: int, classes: int) -> None:
        hidden = (width, 2 * width, 2 * width)
        super().__init__(hidden)
        sizes = (inputs, *hidden)
        self.layers = nn.ModuleList(RedirectConv2d(a, b, 3, padding=1) for a, b in zip(sizes, hidden, strict=False))
        # As the numbers that are published for this network were computed.
        self.norms = nn.ModuleList(RedirectNorm2d(channels, whole=False) for channels in hidden)
        self.head = RedirectLinear(4 * hidden[-1], classes)

    def first_filters(self) -> torch.Tensor:
        first = self.layers[0]
        assert isinstance(first, RedirectConv2d)
        return first.weight

    def forward_features(self, x: torch.Tensor, masks: list[torch.Tensor] | None) -> torch.Tensor:
        on = masks is not None
        for k, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            x = F.relu(norm(layer(x, on), on))
            if k == 1:
                x = pool(x)
            elif k == 2:
                x = pool_to_2x2(x)
            x = apply_mask(x, self.hidden[k], masks[k] if masks else None)
        return x.flatten(1)

    def _widen_layers(self, redirect: tuple[int, ...]) -> None:
        for layer, norm, inputs, outputs in zip(self.layers, self.norms, (0, *redirect), redirect, strict=False):
            layer.widen(inputs, outputs)  # type: ignore[operator]
            norm.widen(outputs)  # type: ignore[operator]
        self.head.widen(4 * redirect[-1], 0)


class CnnParams(ComponentParams):
    """How wide it is."""

    width: int = Field(16, ge=4, le=256, description="Channels of the first layer; the others have twice as many")


@register
class Cnn(ModelSource[CnnParams]):
    name, label = "cnn", "Small convolutional network"
    summary = "Three 3×3 convolutions of 16, 32 and 32 channels; trains on the digits in seconds on a laptop."

    @classmethod
    def build(cls, params: CnnParams, shape: tuple[int, ...], classes: int) -> RedirectNet:
        if len(shape) != 3 or min(shape[1:]) < 4:
            raise UserError("The model 'cnn' takes images of at least 4×4 pixels; choose 'mlp' for points in the plane.")
        return CnnNet(shape[0], params.width, classes)
