"""Channels of hidden layers: by what they are scaled, how active they are, and how they are switched off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.methods.shared.layer_inputs import KernelLayer, kernel_layers
from unlearn_core.training import DeviceData, full_precision

_BATCH_NORM = nn.modules.batchnorm._BatchNorm
_OTHER_NORMS = (nn.LayerNorm, nn.GroupNorm)
_TRACED = 2


@dataclass(frozen=True)
class Hidden:
    """A hidden layer of the base. ``norm``: the batch norm, with a scale and running statistics, that takes exactly what the
    layer gives; None where there is none."""

    name: str
    layer: KernelLayer
    norm: nn.modules.batchnorm._BatchNorm | None

    @property
    def scale(self) -> nn.Module:
        """The module by whose weight and bias the channels are scaled: the norm, or else the layer itself."""
        return self.layer if self.norm is None else self.norm

    @property
    def is_convolution(self) -> bool:
        return self.layer.weight.dim() == 4


def hidden_layers(model: nn.Module, data: DeviceData) -> list[Hidden]:
    """Convolutions and linear layers in the order in which a pass calls them, but for the last, which makes the logits.

    Raises :class:`UserError` for a network that has none.
    """
    outputs, taken = dict[str, torch.Tensor](), list[tuple[torch.Tensor, nn.Module]]()
    layers = kernel_layers(model)
    names = {layer: name for name, layer in layers.items()}

    def gives(layer: nn.Module, _: object, out: torch.Tensor) -> None:
        outputs.setdefault(names[layer], out)  # type: ignore[index]

    def takes(norm: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        taken.append((inputs[0], norm))

    norms = [part for part in _norms(model, _BATCH_NORM) if part.running_var is not None]
    handles = [layer.register_forward_hook(gives) for layer in layers.values()]
    handles += [norm.register_forward_pre_hook(takes) for norm in norms]
    with _released(handles):
        _pass(model, data)
    hidden = list(outputs)[:-1]
    if not hidden:
        raise UserError("This method switches channels of hidden layers off, and this network has no hidden layer.")
    behind = {name: next((norm for x, norm in taken if x is outputs[name]), None) for name in hidden}
    return [Hidden(name, layers[name], behind[name]) for name in hidden]  # type: ignore[arg-type]


def scaling_modules(model: nn.Module, data: DeviceData) -> dict[str, nn.Module]:
    """Modules by name whose weight and bias scale and shift channels: the batch norms that a pass goes through; without any,
    its other norms; without these, its hidden layers. Raises as :func:`hidden_layers`."""
    called: dict[nn.Module, None] = {}
    norms = [*_norms(model, _BATCH_NORM), *_norms(model, _OTHER_NORMS)]
    with _released([norm.register_forward_pre_hook(lambda part, _: called.setdefault(part)) for norm in norms]):
        _pass(model, data)
    batch_norms: list[nn.Module] = [part for part in called if isinstance(part, _BATCH_NORM)]
    found = batch_norms or list(called)
    found = found or [one.scale for one in hidden_layers(model, data)]
    return {name: part for name, part in model.named_modules() if any(part is one for one in found)}


def channel_count(scale: nn.Module) -> int:
    """How many channels a module of :func:`scaling_modules` scales."""
    return len(scale.weight)  # type: ignore[arg-type]


def switch_off(scale: nn.Module, off: torch.Tensor) -> None:
    """Give these channels, bool (channels,), a weight and a bias of 0: what the module says of them is 0 whatever comes."""
    with torch.no_grad():
        for value in (scale.weight, scale.bias):
            if isinstance(value, torch.Tensor):
                value[off] = 0


def mean_activations(model: nn.Module, data: DeviceData, ids: torch.Tensor, hidden: Hidden) -> torch.Tensor:
    """Mean (channels,) over these examples, and over positions, of the positive part of what a hidden layer gives behind its
    norm: what a rectifier lets through. In eval mode, on the plain view."""
    total, count = torch.zeros(channel_count(hidden.scale), device=data.device, dtype=torch.float64), 0
    at = 1 if hidden.is_convolution else -1

    def add(_: nn.Module, __: object, out: torch.Tensor) -> None:
        nonlocal count
        seen = out.movedim(at, -1).flatten(0, -2).clamp_min(0)
        total.add_(seen.sum(0))
        count += len(seen)

    model.eval()
    with _released([hidden.scale.register_forward_hook(add)]), torch.no_grad(), full_precision():
        for piece in data.eval_batches(ids):
            model(data.batch(piece))
    return total / max(1, count)


def _norms(model: nn.Module, kinds: type[nn.Module] | tuple[type[nn.Module], ...]) -> list[Any]:
    """Norms of the base that have a scale for each channel."""
    parts = [part for name, part in model.named_modules() if isinstance(part, kinds) and "redirect" not in name]
    return [part for part in parts if isinstance(part.weight, torch.Tensor) and part.weight.dim() == 1]


def _pass(model: nn.Module, data: DeviceData) -> None:
    model.eval()
    with torch.no_grad(), full_precision():
        model(data.batch(torch.arange(min(_TRACED, len(data)), device=data.device)))


@contextmanager
def _released(handles: list[torch.utils.hooks.RemovableHandle]) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
