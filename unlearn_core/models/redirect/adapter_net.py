"""A network as it is, under ``net``, with its own names, and redirect channels beside its layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.models.redirect.adapters import CLASSES, MOST_CHANNELS, NORMS, active
from unlearn_core.models.redirect.layers import RedirectNet
from unlearn_core.models.redirect.tracing import Layers


class _Head(nn.Linear):
    """The last layer inside the network: it lets its input pass, because logits are made from the features outside."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class AdapterNet(RedirectNet):
    """Base of networks that this project did not build. ``net`` becomes a part of it, its layers of other classes."""

    def __init__(self, net: nn.Module, found: Layers) -> None:
        super().__init__(found.channels)
        self.net, self.found, self.head_name, self.places = net, found, found.head, found.names
        for index, name in enumerate(found.names):
            layer: Any = net.get_submodule(name)
            layer.__class__ = CLASSES[type(layer)]
            layer.attach(index)
        for module in net.modules():
            if type(module) in NORMS:
                module.__class__ = NORMS[type(module)]
        if found.head:
            net.get_submodule(found.head).__class__ = _Head

    def head(self, features: torch.Tensor, on: bool) -> torch.Tensor:
        last: Any = self.net.get_submodule(self.head_name)
        return F.linear(features, last.weight, last.bias)

    def forward_features(self, x: torch.Tensor, masks: list[torch.Tensor] | None) -> torch.Tensor:
        token = active.set(masks)
        try:
            features: torch.Tensor = self.net(self.prepare_inputs(x))
            return features
        finally:
            active.reset(token)

    def prepare_inputs(self, x: torch.Tensor) -> torch.Tensor:
        """From inputs as this project normalises them to what the network takes."""
        raise NotImplementedError

    def widen(self, ratio: float, seed: int) -> None:
        """``ratio`` times a layer's output channels, at least 1 and at most :data:`MOST_CHANNELS`, beside each layer."""
        self.widen_to(tuple(min(MOST_CHANNELS, max(1, round(ratio * width))) for width in self.hidden), seed)

    def _widen_layers(self, redirect: tuple[int, ...]) -> None:
        for layer, channels in zip(self._layers(), redirect, strict=True):
            layer.redirect = layer.make_branch(channels).to(layer.reference_weight().device)

    def narrow(self) -> None:
        self.redirect_layers = ()
        for layer in self._layers():
            layer.redirect = None

    def base_state(self) -> dict[str, torch.Tensor]:
        """The network's own state dict, under its own names."""
        return {name: value for name, value in self.net.state_dict().items() if "redirect" not in name}

    def _layers(self) -> Iterator[Any]:
        return (self.net.get_submodule(name) for name in self.places)
