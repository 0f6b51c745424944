"""Redirect channels attached to a network from outside: parallel adapters beside its layers.

Beside a layer runs a narrow, masked branch, ``down`` → norm → activation → mask → ``up``, whose result is added to the layer's
output. The modules of the network stay where they are and keep their names; only their class changes, so that a copy, a
state dict or an export needs no translation. Without a mask a layer runs the very code it ran before.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.models.redirect.layers import show

MOST_CHANNELS = 128
"""Redirect channels of one adapter at most. It costs about channels / (the layer's outputs) of the layer, and what must be
redirected does not grow with a network's width: 128 beside each of dozens of layers are thousands of channels."""

active: ContextVar[Sequence[torch.Tensor] | None] = ContextVar("active", default=None)
"""The masks of the pass that is under way, one for each layer; None while redirect is off. A context variable, because two
threads may use one network at the same time."""


class AdapterBranch(nn.Module):
    """The branch beside one layer: ``forward(x, mask)`` gives what is added, and its masked channels."""

    down: nn.Module
    up: nn.Module
    norm: nn.Module

    def __init__(self, spatial: bool) -> None:
        super().__init__()
        self.spatial = spatial

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        channels = F.relu(self.norm(self.down(x)))
        shape = [1] * channels.dim()
        shape[0], shape[1 if self.spatial else -1] = mask.shape
        channels = channels * mask.reshape(shape)
        return self.up(channels), channels


def _initialise(layer: nn.Module) -> nn.Module:
    """The default uniform initialisation, scale 1/√fan_in, as redirect channels have it in the networks of this project."""
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    bound = layer.weight[0].numel() ** -0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    if layer.bias is not None:
        nn.init.uniform_(layer.bias, -bound, bound)
    return layer


def make_conv_branch(layer: nn.Conv2d, channels: int) -> AdapterBranch:
    """A branch that sees what the convolution sees, at the same positions."""
    branch = AdapterBranch(spatial=True)
    branch.down = _initialise(
        nn.Conv2d(layer.in_channels, channels, layer.kernel_size, layer.stride, layer.padding, layer.dilation, bias=False)  # type: ignore[arg-type]
    )
    branch.norm = nn.BatchNorm2d(channels)
    branch.up = _initialise(nn.Conv2d(channels, layer.out_channels, 1, bias=False))
    return branch


def make_linear_branch(inputs: int, outputs: int, channels: int) -> AdapterBranch:
    """A branch for every token by itself."""
    branch = AdapterBranch(spatial=False)
    branch.down, branch.norm, branch.up = (
        _initialise(nn.Linear(inputs, channels)),
        nn.Identity(),
        _initialise(nn.Linear(channels, outputs, bias=False)),
    )
    return branch


class ParallelAdapter(nn.Module):
    """What the three layer classes share: which layer of the network it is, and its branch."""

    layer_index: int
    redirect: AdapterBranch | None
    channels_at: int

    def attach(self, layer_index: int) -> None:
        """Become layer number ``layer_index``, without a branch yet."""
        self.layer_index = layer_index
        self.register_module("redirect", None)

    def make_branch(self, channels: int) -> AdapterBranch:
        """A fresh branch for this layer."""
        raise NotImplementedError

    def reference_weight(self) -> torch.Tensor:
        """A weight of the layer itself: where its branch must be."""
        return next(self.parameters(recurse=False))

    def add_branch(self, x: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        """``out`` with the branch's contribution while redirect is on; either way the layer is shown."""
        masks = active.get()
        if masks is None or self.redirect is None:
            show(out, None, self.channels_at)
            return out
        mask = masks[self.layer_index]
        more: torch.Tensor
        more, channels = self.redirect(x, mask)
        show(out, mask, self.channels_at, channels)
        return out + more


class AdapterConv2d(nn.Conv2d, ParallelAdapter):
    """A convolution with an adapter."""

    channels_at = 1

    def make_branch(self, channels: int) -> AdapterBranch:
        return make_conv_branch(self, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.add_branch(x, super().forward(x))


class AdapterLinear(nn.Linear, ParallelAdapter):
    """A linear layer with an adapter."""

    channels_at = -1

    def make_branch(self, channels: int) -> AdapterBranch:
        return make_linear_branch(self.in_features, self.out_features, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.add_branch(x, super().forward(x))


class AdapterAttention(nn.MultiheadAttention, ParallelAdapter):
    """Attention with an adapter that runs beside the whole of it, token by token."""

    channels_at = -1

    def make_branch(self, channels: int) -> AdapterBranch:
        return make_linear_branch(self.embed_dim, self.embed_dim, channels)

    def forward(self, query: torch.Tensor, *args: Any, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
        out, weights = super().forward(query, *args, **kwargs)
        return self.add_branch(query, out), weights


class AdapterBatchNorm1d(nn.BatchNorm1d):
    """Batch norm of the base: a pass with redirect on normalises by its batch and leaves the running statistics alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _by_batch(self, x) if _leaves_statistics(self) else super().forward(x)


class AdapterBatchNorm2d(nn.BatchNorm2d):
    """The same for images."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _by_batch(self, x) if _leaves_statistics(self) else super().forward(x)


def _leaves_statistics(norm: nn.Module) -> bool:
    return norm.training and active.get() is not None


def _by_batch(norm: nn.BatchNorm1d | nn.BatchNorm2d, x: torch.Tensor) -> torch.Tensor:
    return F.batch_norm(x, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)


CLASSES: dict[type[nn.Module], type[Any]] = {
    nn.Conv2d: AdapterConv2d,
    nn.Linear: AdapterLinear,
    nn.MultiheadAttention: AdapterAttention,
}
"""Exact class of a layer → what it becomes."""
NORMS: dict[type[nn.Module], type[Any]] = {nn.BatchNorm1d: AdapterBatchNorm1d, nn.BatchNorm2d: AdapterBatchNorm2d}
"""Exact class of a norm → what it becomes."""
