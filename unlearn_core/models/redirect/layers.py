"""Layers that hold base channels and, once widened, redirect channels beside them.

An activation is (B, base) with redirect off and (B, base + redirect, …) with it on, base channels first. With redirect
off a layer uses its base weights alone: the same tensors in the same kernels as before widening, so the function is the
same to the bit and costs what the base costs. Masks are per channel, never per position (arXiv:2307.09542, section 3).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.models.redirect.norms import RedirectLayerNorm, RedirectNorm2d

_MIX = (0xBF58476D1CE4E5B9 - (1 << 64), 0x94D049BB133111EB - (1 << 64), 0x9E3779B97F4A7C15 - (1 << 64))


def _hash(counter: torch.Tensor) -> torch.Tensor:
    """SplitMix64 finaliser (Steele et al. 2014) of int64 counters; wraps, so it is the same on every device."""
    x = counter
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * _MIX[0]
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * _MIX[1]
    return x ^ ((x >> 31) & 0x1FFFFFFFF)


def example_masks(ids: torch.Tensor, channels: int, share: float, seed: int) -> torch.Tensor:
    """Each example's own mask over the redirect channels: Bernoulli(share), fixed by (seed, example, channel).

    ``ids``: int64 (B,) training indices. Returns bool (B, channels). Nothing is stored: the mask is a hash of a counter.
    """
    columns = torch.arange(channels, device=ids.device)
    rows = _hash((ids + 1) * _MIX[2] + seed)
    bits = _hash(rows[:, None] + (columns + 1)[None, :] * _MIX[2])
    return ((bits >> 11) & 0x1FFFFFFFFFFFFF) < int(share * (1 << 53))


def shared_mask(layers: tuple[int, ...], share: float, seed: int, device: torch.device) -> torch.Tensor:
    """One mask for the whole forget set: ``share`` of each layer's redirect channels (at least one), bool (1, sum)."""
    parts = []
    for layer, channels in enumerate(layers):
        order = _hash(torch.arange(channels) * _MIX[2] + seed * 1_000_003 + layer).argsort()
        mask = torch.zeros(channels, dtype=torch.bool)
        mask[order[: max(1, round(share * channels))]] = True
        parts.append(mask)
    return torch.cat(parts)[None].to(device)


class _RedirectLayer(nn.Module):
    """Shared by convolution and linear layers: a base weight, and after widening the rows and columns around it."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.register_parameter("redirect_in", None)  # base outputs from redirect inputs: (out, redirect in, …)
        self.register_parameter("redirect_out", None)  # redirect outputs from everything: (redirect out, in + redirect in, …)
        self.register_parameter("redirect_bias", None)

    @property
    def redirect_channels(self) -> int:
        """How many redirect outputs this layer has (0 before widening, and always for a head)."""
        return 0 if self.redirect_out is None else self.redirect_out.shape[0]

    def widen(self, inputs: int, outputs: int) -> None:
        """Add ``inputs`` redirect inputs and ``outputs`` redirect outputs, freshly initialised.

        Both draw the default uniform initialisation of the *widened* layer, scale 1/√fan_in.
        """
        base_out, base_in, *kernel = self.weight.shape
        fan_in = (base_in + inputs) * int(torch.tensor(kernel).prod()) if kernel else base_in + inputs
        bound = fan_in**-0.5

        def fresh(*shape: int) -> nn.Parameter:
            values = torch.empty(*shape, dtype=self.weight.dtype).uniform_(-bound, bound)
            return nn.Parameter(values.to(self.weight.device))

        self.redirect_in = fresh(base_out, inputs, *kernel) if inputs else None
        self.redirect_out = fresh(outputs, base_in + inputs, *kernel) if outputs else None
        self.redirect_bias = fresh(outputs) if outputs and self.bias is not None else None

    def narrow(self) -> None:
        """Drop the redirect weights."""
        self.redirect_in = self.redirect_out = self.redirect_bias = None

    def _full(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        weight: torch.Tensor = self.weight
        bias: torch.Tensor | None = self.bias
        if self.redirect_in is not None:
            weight = torch.cat([weight, self.redirect_in], dim=1)
        if self.redirect_out is not None:
            weight = torch.cat([weight, self.redirect_out], dim=0)
            if bias is not None and self.redirect_bias is not None:
                bias = torch.cat([bias, self.redirect_bias])
        return weight, bias

    def _weights(self, on: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        return self._full() if on else (self.weight, self.bias)


class RedirectConv2d(_RedirectLayer):
    """A 2-D convolution with room for redirect channels. ``forward(x, on)``; ``on`` says whether ``x`` carries them."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0, bias: bool = True) -> None:
        super().__init__()
        template = nn.Conv2d(inputs, outputs, kernel, bias=bias)
        self.weight, self.bias = template.weight, template.bias
        self.stride, self.padding = stride, padding

    def forward(self, x: torch.Tensor, on: bool) -> torch.Tensor:
        weight, bias = self._weights(on)
        return F.conv2d(x, weight, bias, self.stride, self.padding)

    def without_bias(self, x: torch.Tensor, on: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        """What :meth:`forward` gives before the bias is added, and the bias."""
        weight, bias = self._weights(on)
        return F.conv2d(x, weight, None, self.stride, self.padding), bias


class RedirectLinear(_RedirectLayer):
    """A linear layer with room for redirect features."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        template = nn.Linear(inputs, outputs, bias=bias)
        self.weight, self.bias = template.weight, template.bias

    def forward(self, x: torch.Tensor, on: bool) -> torch.Tensor:
        weight, bias = self._weights(on)
        return F.linear(x, weight, bias)


class RedirectNet(nn.Module):
    """A classifier whose hidden layers may carry redirect channels.

    Subclasses list their hidden layers' base channels and implement ``forward_features``.
    """

    optimizer: Literal["sgd", "adam"] = "sgd"
    """What a method that redirects moves this network's weights with; transformers barely move under SGD."""
    any_size: bool = False
    """Whether it takes smaller images than it was made for."""

    def __init__(self, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.hidden = hidden
        self.redirect_layers: tuple[int, ...] = ()

    @property
    def redirect_channels(self) -> int:
        """Redirect channels over all layers; the width of a mask."""
        return sum(self.redirect_layers)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (B, classes). ``mask``: None for redirect off, else (B or 1, redirect_channels), bool or a strength."""
        logits: torch.Tensor = self.head(self.features(x, mask), mask is not None)
        return logits

    def features(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Penultimate features (B, D); with redirect on the redirect features follow the base's."""
        if mask is None:
            return self.forward_features(x, None)
        if mask.shape[-1] != self.redirect_channels or not self.redirect_layers:
            raise ValueError(
                f"a mask of {mask.shape[-1]} channels on a network with {self.redirect_channels} redirect channels"
            )
        return self.forward_features(x, list(torch.split(mask.to(x.dtype), list(self.redirect_layers), dim=1)))

    def forward_features(self, x: torch.Tensor, masks: list[torch.Tensor] | None) -> torch.Tensor:
        raise NotImplementedError

    head: Any
    """(features, on) → logits."""

    def first_filters(self) -> torch.Tensor | None:
        """The base's weight (out, in, rows, columns) of the convolution that sees the image; None where there is none."""
        return None

    def set_input_stats(self, mean: torch.Tensor, std: torch.Tensor) -> None:
        """Take over how the inputs were normalised: per channel, on the scale of the data. Only a network that was trained
        elsewhere, on another normalisation, needs to know."""

    def as_torchvision(self) -> tuple[str, dict[str, torch.Tensor]] | None:
        """Architecture and state dict of the base in torchvision's words, where torchvision has this network."""
        return None

    def widen(self, ratio: float, seed: int) -> None:
        """Add ``ratio`` times as many redirect channels as base channels to every hidden layer (at least one)."""
        self.widen_to(tuple(max(1, round(ratio * width)) for width in self.hidden), seed)

    def widen_to(self, layers: tuple[int, ...], seed: int) -> None:
        """Add so many redirect channels to each hidden layer, freshly initialised from ``seed``."""
        if self.redirect_layers:
            raise ValueError("this network is already widened")
        if len(layers) != len(self.hidden):
            raise ValueError(f"{len(layers)} numbers of redirect channels for {len(self.hidden)} hidden layers")
        self.redirect_layers = layers
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._widen_layers(self.redirect_layers)

    def _widen_layers(self, redirect: tuple[int, ...]) -> None:
        raise NotImplementedError

    def narrow(self) -> None:
        """Drop the redirect channels for good; the result is a base network."""
        self.redirect_layers = ()
        for module in self.modules():
            if isinstance(module, _RedirectLayer | RedirectNorm2d | RedirectLayerNorm):
                module.narrow()

    def base_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Named parameters that exist before widening."""
        return ((name, p) for name, p in self.named_parameters() if "redirect" not in name)


Seen = list[tuple[torch.Tensor, torch.Tensor | None]]

_seen: ContextVar[Seen | None] = ContextVar("seen", default=None)


@contextlib.contextmanager
def seen_activations() -> Iterator[Seen]:
    """Collect (activation, mask) of every masked place that forward passes go through inside this block, in order."""
    seen: Seen = []
    token = _seen.set(seen)
    try:
        yield seen
    finally:
        _seen.reset(token)


def apply_mask(x: torch.Tensor, base: int, mask: torch.Tensor | None, dim: int = 1) -> torch.Tensor:
    """Multiply the redirect channels of ``x`` by ``mask`` (B or 1, redirect); base channels pass unchanged.

    ``dim``: where the channels are. They are shown to :func:`seen_activations` in dimension 1.
    """
    if mask is not None:
        keep = torch.ones(mask.shape[0], base, dtype=x.dtype, device=x.device)
        full = torch.cat([keep, mask], dim=1)
        shape = [1] * x.dim()
        shape[0], shape[dim] = full.shape
        x = x * full.reshape(shape)
    show(x, mask, dim)
    return x


def show(x: torch.Tensor, mask: torch.Tensor | None, dim: int = 1, more: torch.Tensor | None = None) -> None:
    """Let :func:`seen_activations` see one masked place: channels in dimension ``dim``, those of ``more`` behind the others."""
    if torch.compiler.is_compiling():  # nothing is collected then, and a compiler would cut the network in two here
        return
    if (seen := _seen.get()) is not None:
        x = x if more is None else torch.cat([x, more], dim)
        seen.append((x.movedim(dim, 1).clone(), mask))  # what follows may overwrite it


def base_norms(model: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """The batch norms whose statistics inference uses: those of the base, not of redirect channels."""
    norms = nn.modules.batchnorm._BatchNorm
    return [m for name, m in model.named_modules() if isinstance(m, norms) and "redirect" not in name]
