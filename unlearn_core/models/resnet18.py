"""ResNet-18 (He et al. 2015, arXiv:1512.03385), with room for redirect channels."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.component import ComponentParams
from unlearn_core.errors import UserError
from unlearn_core.models import ModelSource, RedirectConv2d, RedirectLinear, RedirectNet, RedirectNorm2d, register
from unlearn_core.models.redirect.layers import apply_mask

_STAGES = (64, 128, 256, 512)


class _Shortcut(nn.Module):
    """The 1×1 convolution and norm beside a block that changes size. Its parts are called "0" and "1", as elsewhere."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.add_module("0", RedirectConv2d(inputs, outputs, 1, stride, bias=False))
        self.add_module("1", RedirectNorm2d(outputs))

    def forward(self, x: torch.Tensor, on: bool) -> torch.Tensor:
        conv, norm = self.children()
        out: torch.Tensor = norm(conv(x, on), on)
        return out

    def widen(self, inputs: int, outputs: int) -> None:
        conv, norm = self.children()
        conv.widen(inputs, outputs)  # type: ignore[operator]
        norm.widen(outputs)  # type: ignore[operator]


class _Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut. ``mask`` acts between them and on the sum: switched off, a redirect channel
    must reach the base by no way, and what comes in is masked already."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.outputs = outputs
        self.conv1 = RedirectConv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = RedirectNorm2d(outputs)
        self.conv2 = RedirectConv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = RedirectNorm2d(outputs)
        self.downsample = _Shortcut(inputs, outputs, stride) if stride != 1 or inputs != outputs else None

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        on = mask is not None
        y = apply_mask(F.relu(self.bn1(self.conv1(x, on), on)), self.outputs, mask)
        y = self.bn2(self.conv2(y, on), on)
        shortcut = x if self.downsample is None else self.downsample(x, on)
        return apply_mask(F.relu(y + shortcut), self.outputs, mask)

    def widen(self, inputs: int, outputs: int) -> None:
        self.conv1.widen(inputs, outputs)
        self.conv2.widen(outputs, outputs)
        for norm in (self.bn1, self.bn2):
            norm.widen(outputs)
        if self.downsample is not None:
            self.downsample.widen(inputs, outputs)


class ResNet18Net(RedirectNet):
    """Stem, four stages of two blocks, global mean, linear head.

    Every stage has one mask for all of its activations (the first stage's is the stem's too): along a stage's shortcuts
    the same channels go on, and a second mask on them would leave an example only what both let through.
    """

    any_size = True

    def __init__(self, inputs: int, width: float, stem: str, classes: int) -> None:
        hidden = tuple(max(4, round(width * channels)) for channels in _STAGES)
        super().__init__(hidden)
        self.pooled = stem == "imagenet"
        kernel, stride, padding = (7, 2, 3) if self.pooled else (3, 1, 1)
        self.conv1 = RedirectConv2d(inputs, hidden[0], kernel, stride, padding, bias=False)
        self.bn1 = RedirectNorm2d(hidden[0])
        before = (hidden[0], *hidden)
        for k, (a, b) in enumerate(zip(before, hidden, strict=False)):
            self.add_module(f"layer{k + 1}", nn.ModuleList([_Block(a, b, 1 if k == 0 else 2), _Block(b, b, 1)]))
        self.head = RedirectLinear(hidden[-1], classes)
        for module in self.modules():
            if isinstance(module, RedirectConv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def first_filters(self) -> torch.Tensor:
        return self.conv1.weight

    @property
    def stages(self) -> list[nn.ModuleList]:
        """The four stages, two blocks each."""
        return [getattr(self, f"layer{k + 1}") for k in range(len(self.hidden))]

    def forward_features(self, x: torch.Tensor, masks: list[torch.Tensor] | None) -> torch.Tensor:
        on = masks is not None
        x = F.relu(self.bn1(self.conv1(x, on), on))
        if self.pooled:
            x = F.max_pool2d(x, 3, 2, 1)
        x = apply_mask(x, self.hidden[0], masks[0] if masks else None)
        for k, stage in enumerate(self.stages):
            for block in stage:
                x = block(x, masks[k] if masks else None)
        return F.adaptive_avg_pool2d(x, 1).flatten(1)

    def _widen_layers(self, redirect: tuple[int, ...]) -> None:
        self.conv1.widen(0, redirect[0])
        self.bn1.widen(redirect[0])
        for stage, inputs, outputs in zip(self.stages, (redirect[0], *redirect), redirect, strict=False):
            for block, arriving in zip(stage, (inputs, outputs), strict=True):
                block.widen(arriving, outputs)  # type: ignore[operator]
        self.head.widen(redirect[-1], 0)

    def as_torchvision(self) -> tuple[str, dict[str, torch.Tensor]] | None:
        """The same function as torchvision's ``resnet18`` where width and stem are its own and images have three channels."""
        if self.hidden != _STAGES or not self.pooled or self.conv1.weight.shape[1] != 3:
            return None
        plain = {name: value for name, value in self.state_dict().items() if "redirect" not in name}
        return "resnet18", {name.replace(".base.", ".").replace("head.", "fc."): value for name, value in plain.items()}


class ResNet18Params(ComponentParams):
    """How wide it is and how it begins."""

    width: float = Field(0.25, ge=0.0625, le=2, description="Base channels relative to the published network (64 to 512)")
    stem: Literal["small", "imagenet"] = Field(
        "small", description="small: 3×3, no pooling; imagenet: 7×7 of stride 2, then pooling, as torchvision"
    )


@register
class ResNet18(ModelSource[ResNet18Params]):
    name, label = "resnet18", "ResNet-18"
    summary = (
        "The usual residual network of 64 to 512 channels. The small stem keeps every pixel, for images up to 64 pixels; with "
        "the imagenet stem and width 1 it is torchvision's network, and a healed model is exported under torchvision's names."
    )

    @classmethod
    def build(cls, params: ResNet18Params, shape: tuple[int, ...], classes: int) -> RedirectNet:
        least = 32 if params.stem == "imagenet" else 8
        if len(shape) != 3 or min(shape[1:]) < least:
            raise UserError(
                f"The model 'resnet18' with the stem {params.stem!r} takes images of at least {least}×{least} pixels; "
                "choose 'cnn' for smaller ones."
            )
        return ResNet18Net(shape[0], params.width, params.stem, classes)
