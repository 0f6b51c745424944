"""Which layers of a network can take an adapter: seen in one pass of two examples, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from unlearn_core.models.redirect.adapters import CLASSES
from unlearn_core.support.torchvision_compat import torchvision

TRACED = 2
"""Examples of the pass: a layer that is called on anything else is not called on the batch."""


@dataclass(frozen=True)
class Layers:
    """The layers of a network that take an adapter: their names in the order in which they run, their output channels, and the
    name of the head, a linear layer whose output is the network's; "" where there is none."""

    names: tuple[str, ...]
    channels: tuple[int, ...]
    head: str


@dataclass
class _Trace:
    """What one pass showed. ``channels``: output channels of every layer that was called, in order (0: not called on the
    batch); ``head``: the one called last, ``features``: what it saw; ``ends_in_head``: whether its output is the network's."""

    channels: dict[str, int]
    head: str = ""
    features: torch.Tensor | None = None
    ends_in_head: bool = False


def find_layers(net: nn.Module, run: Callable[[], Any]) -> Layers:
    """The layers of ``net`` that ``run``, a pass of :data:`TRACED` examples, goes through; raises whatever it raises.

    Left out: the layer called last; grouped convolutions, which mix few channels on purpose, while a branch would mix all; the
    gates of squeeze-and-excitation, which scale channels and carry no features; and weights that a network uses without
    calling the layer (in attention: its branch runs beside the whole).
    """
    trace = _trace_layers(net, run)
    head, features = trace.head, trace.features
    if not trace.ends_in_head or not isinstance(net.get_submodule(head), nn.Linear) or features is None or features.dim() != 2:
        head = ""
    gates = torchvision().ops.SqueezeExcitation
    skipped = {f"{name}.{part}" for name, m in net.named_modules() if isinstance(m, gates) for part, _ in m.named_modules()}
    names = tuple(
        name
        for name, channels in trace.channels.items()
        if channels and name != trace.head and name not in skipped and getattr(net.get_submodule(name), "groups", 1) == 1
    )
    return Layers(names, tuple(trace.channels[name] for name in names), head)


def _trace_layers(net: nn.Module, run: Callable[[], Any]) -> _Trace:
    trace, outputs = _Trace({}), list[Any]()

    def watch(name: str, module: nn.Module) -> Any:
        def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: Any) -> None:
            out = output[0] if isinstance(output, tuple) else output
            at = 1 if isinstance(module, nn.Conv2d) else -1
            trace.channels[name] = out.shape[at] if out.shape[0] == TRACED else 0
            trace.head, trace.features = name, inputs[0] if inputs else None
            outputs.append(out)

        return module.register_forward_hook(hook)

    handles = [watch(name, module) for name, module in net.named_modules() if type(module) in CLASSES]
    try:
        with torch.no_grad():
            logits = run()
    finally:
        for handle in handles:
            handle.remove()
    trace.ends_in_head = bool(outputs) and logits is outputs[-1]
    return trace
