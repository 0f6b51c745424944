"""A vision transformer for small images, with shifted patches and locality self-attention (arXiv:2112.13492)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.component import ComponentParams
from unlearn_core.errors import UserError
from unlearn_core.models import ModelSource, RedirectLayerNorm, RedirectLinear, RedirectNet, register
from unlearn_core.models.redirect.layers import apply_mask

_MOST_TOKENS = 600


class _Attention(nn.Module):
    """Self-attention in which no token looks at itself, with a learned temperature. Redirect channels are read by queries,
    keys and values, and written by the projection; the heads stay as they are."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.tensor(-0.5 * math.log(width // heads)))
        self.qkv = RedirectLinear(width, 3 * width, bias=False)
        self.project = RedirectLinear(width, width)

    def forward(self, x: torch.Tensor, on: bool) -> torch.Tensor:
        count, tokens, _ = x.shape
        parts = self.qkv(x, on).reshape(count, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = parts.unbind(0)
        closeness = q @ k.transpose(-2, -1) * self.temperature.exp()
        itself = torch.eye(tokens, dtype=torch.bool, device=x.device)
        weights = closeness.masked_fill(itself, torch.finfo(closeness.dtype).min).softmax(-1)
        # The projection reads what the heads say, which is as wide with redirect on; it writes base and redirect channels.
        projected: torch.Tensor = self.project((weights @ v).transpose(1, 2).reshape(count, tokens, -1), on)
        return projected


class _Block(nn.Module):
    """Attention and a perceptron, each with its norm before it and a sum behind it.

    Masks act after each sum, as in the paper; behind each norm, whose shift would otherwise let a channel speak that is
    off; and inside the perceptron.
    """

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.width, self.inner = width, inner
        self.norm1, self.norm2 = RedirectLayerNorm(width), RedirectLayerNorm(width)
        self.attention = _Attention(width, heads)
        self.rise, self.fall = RedirectLinear(width, inner), RedirectLinear(inner, width)

    def forward(self, x: torch.Tensor, stream: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor:
        on = mask is not None

        def mask_stream(x: torch.Tensor) -> torch.Tensor:
            return apply_mask(x, self.width, stream, dim=2)

        x = mask_stream(x + self.attention(mask_stream(self.norm1(x, on)), on))
        inner = apply_mask(F.gelu(self.rise(mask_stream(self.norm2(x, on)), on)), self.inner, mask, dim=2)
        return mask_stream(x + self.fall(inner, on))

    def widen(self, stream: int, inner: int) -> None:
        for norm in (self.norm1, self.norm2):
            norm.widen(stream)
        self.attention.qkv.widen(stream, 0)
        self.attention.project.widen(0, stream)
        self.rise.widen(stream, inner)
        self.fall.widen(inner, stream)


class VitNet(RedirectNet):
    """(B, C, H, W) → logits from a class token. Hidden layers: each block's perceptron, then the stream of all tokens.

    A mask is per channel, the same for all tokens. The stream has one mask throughout: it is one set of channels that every
    sum adds to, and independent masks along it would leave an example nothing.
    """

    optimizer = "adam"
    redirect_positions: nn.Parameter | None

    def __init__(
        self, shape: tuple[int, ...], patch: int, width: int, depth: int, heads: int, inner: int, classes: int
    ) -> None:
        super().__init__((inner,) * depth + (width,))
        channels, height, breadth = shape
        self.patch, self.width = patch, width
        tokens = height // patch * (breadth // patch)
        values = 5 * channels * patch**2
        self.patch_norm, self.embed = nn.LayerNorm(values), RedirectLinear(values, width)
        self.start = nn.Parameter(torch.randn(1, 1, width).mul_(0.02))
        self.positions = nn.Parameter(torch.randn(1, tokens + 1, width).mul_(0.02))
        self.register_parameter("redirect_positions", None)
        self.blocks = nn.ModuleList(_Block(width, inner, heads) for _ in range(depth))
        self.norm = RedirectLayerNorm(width)
        self.head = RedirectLinear(width, classes)

    def patches(self, x: torch.Tensor) -> torch.Tensor:
        """(B, tokens, 5·C·patch²): every patch of the image and of its four shifts by half a patch along the diagonals."""
        s = self.patch // 2
        shifted = [F.pad(x, (a, -a, b, -b)) for a in (s, -s) for b in (s, -s)]
        return F.unfold(torch.cat([x, *shifted], dim=1), self.patch, stride=self.patch).transpose(1, 2)

    def forward_features(self, x: torch.Tensor, masks: list[torch.Tensor] | None) -> torch.Tensor:
        on = masks is not None
        stream = masks[-1] if masks else None
        x = self.embed(self.patch_norm(self.patches(x)), on)
        start: torch.Tensor = self.start
        positions: torch.Tensor = self.positions
        if self.redirect_positions is not None and on:
            # The class token has no redirect channels of its own: its redirect positions are what it starts from there.
            start = F.pad(start, (0, self.redirect_positions.shape[-1]))
            positions = torch.cat([positions, self.redirect_positions], dim=-1)
        x = torch.cat([start.expand(x.shape[0], -1, -1), x], dim=1) + positions
        x = apply_mask(x, self.width, stream, dim=2)
        for k, block in enumerate(self.blocks):
            x = block(x, stream, masks[k] if masks else None)
        return apply_mask(self.norm(x[:, :1], on), self.width, stream, dim=2)[:, 0]

    def _widen_layers(self, redirect: tuple[int, ...]) -> None:
        stream = redirect[-1]
        device = self.positions.device
        self.embed.widen(0, stream)
        self.redirect_positions = nn.Parameter((torch.randn(1, self.positions.shape[1], stream).mul_(0.02)).to(device))
        for block, inner in zip(self.blocks, redirect, strict=False):
            block.widen(stream, inner)  # type: ignore[operator]
        self.norm.widen(stream)
        self.head.widen(stream, 0)

    def narrow(self) -> None:
        super().narrow()
        self.redirect_positions = None


class VitParams(ComponentParams):
    """Patches and size."""

    patch: int = Field(0, ge=0, le=64, description="Side of a patch in pixels; 0 for about a quarter of the image's side")
    width: int = Field(64, ge=8, le=1024, description="Channels of a token")
    depth: int = Field(4, ge=1, le=24, description="Blocks of attention and perceptron")
    heads: int = Field(4, ge=1, le=32, description="Heads of attention; must divide the width")
    mlp_ratio: float = Field(2.0, ge=0.5, le=8, description="Width of the perceptrons relative to the tokens")


@register
class Vit(ModelSource[VitParams]):
    name, label = "vit", "Vision transformer"
    summary = (
        "A transformer over patches for small images, with shifted patches and locality self-attention as in the REM paper "
        "(there: patches of 8, width 512, 8 heads, a perceptron three times as wide)."
    )

    training: ClassVar[dict[str, Any]] = {"optimizer": "adam", "learning_rate": 0.001}

    @classmethod
    def build(cls, params: VitParams, shape: tuple[int, ...], classes: int) -> RedirectNet:
        if len(shape) != 3 or min(shape[1:]) < 8:
            raise UserError("The model 'vit' takes images of at least 8×8 pixels; choose 'cnn' for smaller ones.")
        if params.width % params.heads:
            raise UserError(f"vit.heads must divide vit.width ({params.heads} does not divide {params.width}).")
        height, width = shape[1:]
        side = math.gcd(height, width)
        patch = params.patch or max(p for p in range(1, max(2, min(shape[1:]) // 4) + 1) if side % p == 0)
        if side % patch or height * width // patch**2 > _MOST_TOKENS:
            raise UserError(
                f"Patches of {patch}×{patch} pixels do not suit images of {height}×{width}: vit.patch must divide both sides "
                f"and give at most {_MOST_TOKENS} patches."
            )
        inner = max(1, round(params.mlp_ratio * params.width))
        return VitNet(shape, patch, params.width, params.depth, params.heads, inner, classes)
