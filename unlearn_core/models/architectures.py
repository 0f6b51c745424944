"""torchvision's classifiers by name: made, and looked at for the layers that can take an adapter."""

from __future__ import annotations

import difflib
import functools
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.models.redirect.adapters import CLASSES
from unlearn_core.support.torchvision_compat import torchvision


@dataclass(frozen=True)
class Layers:
    """The layers of an architecture that take an adapter: their names in the order in which they run, their output
    channels, and the name of the head."""

    names: tuple[str, ...]
    channels: tuple[int, ...]
    head: str


def _arguments(architecture: str, size: tuple[int, int]) -> dict[str, Any]:
    if architecture.startswith("vit_"):
        return {"image_size": size[0]}
    if architecture.startswith("maxvit"):
        return {"input_size": size}
    return {"init_weights": False} if architecture in ("inception_v3", "googlenet") else {}


def make_network(architecture: str, classes: int, size: tuple[int, int]) -> nn.Module:
    """A freshly initialised network of torchvision."""
    models = torchvision().models

    def make() -> nn.Module:
        network: nn.Module = models.get_model(architecture, num_classes=classes, **_arguments(architecture, size))
        return network

    try:
        return make()
    except NotImplementedError:  # a few cannot be made on the meta device, on which shapes are checked
        with torch.device("cpu"):
            return make()
    except (AssertionError, ValueError, RuntimeError) as error:
        raise UserError(_too_small(architecture, size)) from error


def _too_small(architecture: str, size: tuple[int, int]) -> str:
    return (
        f"torchvision's {architecture} cannot take images of {size[0]}×{size[1]} pixels; choose another input size "
        "(model.size, --input-size), such as 224."
    )


@functools.lru_cache(maxsize=16)
def layers_of(architecture: str, classes: int, size: tuple[int, int]) -> Layers:
    """Which layers run, and how: seen in one pass over shapes alone, nothing is computed.

    Left out: the head; grouped convolutions, which mix few channels on purpose, while a branch would mix all; the gates of
    squeeze-and-excitation, which scale channels and carry no features; and weights that a network uses without calling
    the layer (in attention: its branch runs beside the whole).
    """
    net = make_network(architecture, classes, size).eval()
    try:
        trace = _trace_layers(net, size)
    except Exception as error:  # whatever a network raises for images that do not suit it
        raise UserError(_too_small(architecture, size)) from error
    gates = torchvision().ops.SqueezeExcitation
    skipped = {f"{name}.{part}" for name, m in net.named_modules() if isinstance(m, gates) for part, _ in m.named_modules()}
    head, features = trace.head, trace.features
    if not trace.ends_in_head or not isinstance(net.get_submodule(head), nn.Linear) or features is None or features.dim() != 2:
        raise UserError(f"torchvision's {architecture} does not end in a linear layer, so it cannot be used here.")
    names = tuple(
        name
        for name, channels in trace.channels.items()
        if channels and name != head and name not in skipped and getattr(net.get_submodule(name), "groups", 1) == 1
    )
    return Layers(names, tuple(trace.channels[name] for name in names), head)


@dataclass
class _Trace:
    """What one pass showed. ``channels``: output channels of every layer that was called, in order (0: not called on the
    batch); ``head``: the one called last, ``features``: what it saw; ``ends_in_head``: whether its output is the network's."""

    channels: dict[str, int]
    head: str = ""
    features: torch.Tensor | None = None
    ends_in_head: bool = False


def _trace_layers(net: nn.Module, size: tuple[int, int]) -> _Trace:
    """One pass of two images of this size over shapes alone; raises whatever the network raises."""
    trace, outputs = _Trace({}), list[Any]()

    def watch(name: str, module: nn.Module) -> Any:
        def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: Any) -> None:
            out = output[0] if isinstance(output, tuple) else output
            at = 1 if isinstance(module, nn.Conv2d) else -1
            trace.channels[name] = out.shape[at] if out.shape[0] == 2 else 0
            trace.head, trace.features = name, inputs[0] if inputs else None
            outputs.append(out)

        return module.register_forward_hook(hook)

    handles = [watch(name, module) for name, module in net.named_modules() if type(module) in CLASSES]
    weights = {name: value.to("meta") for name, value in [*net.named_parameters(), *net.named_buffers()]}
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logits = torch.func.functional_call(net, weights, (torch.empty(2, 3, *size, device="meta"),))
    finally:
        for handle in handles:
            handle.remove()
    trace.ends_in_head = bool(outputs) and logits is outputs[-1]
    return trace


def check_architecture(name: str) -> str:
    """``name``, if torchvision has such a classifier; :class:`UserError` with the nearest names otherwise."""
    models = torchvision().models
    known = models.list_models(module=models)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else " Examples are resnet18, mobilenet_v3_small and vit_b_16."
    raise UserError(f"torchvision has no classifier called {name!r}.{hint}")
