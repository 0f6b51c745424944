"""A small fully connected network for points in the plane."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.component import ComponentParams
from unlearn_core.errors import UserError
from unlearn_core.models import ModelSource, RedirectLinear, RedirectNet, register
from unlearn_core.models.redirect.layers import apply_mask


class MlpNet(RedirectNet):
    """Linear layers with SiLU between them: (B, 2) → (B, classes)."""

    def __init__(self, inputs: int, width: int, depth: int, classes: int) -> None:
        super().__init__((width,) * depth)
        sizes = [inputs] + [width] * depth
        self.layers = nn.ModuleList(RedirectLinear(a, b) for a, b in pairwise(sizes))
        self.head = RedirectLinear(width, classes)

    def forward_features(self, x: torch.Tensor, masks: list[torch.Tensor] | None) -> torch.Tensor:
        for k, layer in enumerate(self.layers):
            mask = masks[k] if masks else None
            x = apply_mask(F.silu(layer(x, mask is not None)), self.hidden[k], mask)
        return x

    def _widen_layers(self, redirect: tuple[int, ...]) -> None:
        before = (0, *redirect)
        for layer, inputs, outputs in zip(self.layers, before, redirect, strict=False):
            layer.widen(inputs, outputs)  # type: ignore[operator]
        self.head.widen(redirect[-1], 0)


class MlpParams(ComponentParams):
    """How wide and deep it is."""

    width: int = Field(64, ge=4, le=1024, description="Neurons in each hidden layer")
    depth: int = Field(3, ge=1, le=6, description="Hidden layers")


@register
class Mlp(ModelSource[MlpParams]):
    name, label = "mlp", "Small fully connected network"
    summary = "Three hidden layers of 64 for points in the plane."

    @classmethod
    def build(cls, params: MlpParams, shape: tuple[int, ...], classes: int) -> RedirectNet:
        if len(shape) != 1:
            raise UserError("The model 'mlp' takes points in the plane; choose 'cnn' or 'resnet9' for images.")
        return MlpNet(shape[0], params.width, params.depth, classes)
