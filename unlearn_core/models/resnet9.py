"""ResNet-9 as the REM paper uses it (arXiv:2505.17730, after the corrective-unlearning bench, arXiv:2402.14015)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.component import ComponentParams
from unlearn_core.errors import UserError
from unlearn_core.models import ModelSource, RedirectConv2d, RedirectLinear, RedirectNet, RedirectNorm2d, register
from unlearn_core.models.pooling import pool
from unlearn_core.models.redirect.layers import apply_mask

_PUBLISHED = (64, 128, 128, 256, 256, 128)  # channels of the six blocks of the full network


def skips_bias(x: torch.Tensor) -> bool:
    """Whether to leave out a bias that batch norm takes away again. On a graphics card adding it, and adding up its gradient,
    which is zero, take a fifth of a step; on a processor there is little to gain, and numbers stay the same to the bit."""
    return x.is_cuda


class _Unit(nn.Module):
    """Convolution, batch norm, CELU(0.075)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, padding: int = 1) -> None:
        super().__init__()
        self.conv = RedirectConv2d(inputs, outputs, kernel, stride, padding)
        self.norm = RedirectNorm2d(outputs)
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)

    def forward(self, x: torch.Tensor, on: bool) -> torch.Tensor:
        if self.norm.base.training and skips_bias(x):  # in eval mode it takes no bias away
            x, lacks = self.conv.without_bias(x, on)
            return F.celu(self.norm(x, on, lacks), 0.075)
        return F.celu(self.norm(self.conv(x, on), on), 0.075)

    def widen(self, inputs: int, outputs: int) -> None:
        self.conv.widen(inputs, outputs)
        if outputs:
            self.norm.widen(outputs)


class ResNet9Net(RedirectNet):
    """Blocks: conv, conv 5×5 stride 2, residual, conv + pool, residual, conv + global max-pool; linear head without bias.

    A block's mask acts on its output and, inside a residual block, between the two convolutions as well, so that a residual
    block is as narrow inside as outside. ``whole_blocks``: as in the public program, which masks a residual block's output
    alone: what lies between its two convolutions is twice as wide as the base and belongs to it. Its restricted base has
    940,032 parameters; ours at width 0.5 has 570,816. The full network (width 1) agrees: 2,276,224.
    """

    any_size = True

    def __init__(self, inputs: int, width: float, classes: int, whole_blocks: bool = False) -> None:
        hidden = tuple(max(4, round(width * channels)) for channels in _PUBLISHED)
        hidden = (hidden[0], hidden[1], hidden[1], hidden[3], hidden[3], hidden[5])
        super().__init__(hidden)
        c, self.whole_blocks = hidden, whole_blocks
        inner = [channels * (1 + whole_blocks) for channels in (c[2], c[4])]
        self.units = nn.ModuleList(
            [
                _Unit(inputs, c[0]),
                _Unit(c[0], c[1], kernel=5, stride=2, padding=2),
                _Unit(c[1], inner[0]),
                _Unit(inner[0], c[2]),
                _Unit(c[2], c[3]),
                _Unit(c[3], inner[1]),
                _Unit(inner[1], c[4]),
                _Unit(c[4], c[5], padding=0),
            ]
        )
        self.head = RedirectLinear(c[5], classes, bias=False)

    def first_filters(self) -> torch.Tensor:
        first = self.units[0]
        assert isinstance(first, _Unit)
        return first.conv.weight

    def forward_features(self, x: torch.Tensor, masks: list[torch.Tensor] | None) -> torch.Tensor:
        on, u = masks is not None, self.units

        def mask_block(x: torch.Tensor, block: int) -> torch.Tensor:
            return apply_mask(x, self.hidden[block], masks[block] if masks else None)

        x = mask_block(u[0](x, on), 0)
        x = mask_block(u[1](x, on), 1)

        def inside(x: torch.Tensor, block: int) -> torch.Tensor:
            return x if self.whole_blocks else mask_block(x, block)

        x = mask_block(x + u[3](inside(u[2](x, on), 2), on), 2)
        x = mask_block(pool(u[4](x, on)), 3)
        x = mask_block(x + u[6](inside(u[5](x, on), 4), on), 4)
        return mask_block(u[7](x, on).amax((-2, -1)), 5)

    def _widen_layers(self, redirect: tuple[int, ...]) -> None:
        r = redirect
        inner = [0, 0] if self.whole_blocks else [r[2], r[4]]
        around = [
            (0, r[0]),
            (r[0], r[1]),
            (r[1], inner[0]),
            (inner[0], r[2]),
            (r[2], r[3]),
            (r[3], inner[1]),
            (inner[1], r[4]),
            (r[4], r[5]),
        ]
        for unit, (inputs, outputs) in zip(self.units, around, strict=True):
            unit.widen(inputs, outputs)  # type: ignore[operator]
        self.head.widen(r[5], 0)


class ResNet9Params(ComponentParams):
    """How wide it is."""

    width: float = Field(0.5, ge=0.0625, le=2, description="Base channels relative to the published network (64 to 256)")
    whole_blocks: bool = Field(
        False, description="Residual blocks are twice as wide inside, as in the REM paper's restricted base"
    )


@register
class ResNet9(ModelSource[ResNet9Params]):
    quick_start = True
    name, label = "resnet9", "ResNet-9"
    summary = (
        "The REM paper's network for 32×32 photographs. Width 0.5 is the paper's capacity-restricted base, but for the inner "
        "convolutions of its two residual blocks, which the public program keeps whole (whole_blocks): 570,816 parameters "
        "against 940,032. As many redirect channels are added at unlearning time."
    )

    later = frozenset({"whole_blocks"})

    @classmethod
    def build(cls, params: ResNet9Params, shape: tuple[int, ...], classes: int) -> RedirectNet:
        if len(shape) != 3 or min(shape[1:]) < 24:
            raise UserError("The model 'resnet9' takes images of at least 24×24 pixels; choose 'cnn' for smaller ones.")
        return ResNet9Net(shape[0], params.width, classes, params.whole_blocks)
