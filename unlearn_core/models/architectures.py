"""torchvision's classifiers by name: made, and looked at for the layers that can take an adapter."""

from __future__ import annotations

import difflib
import functools
import warnings
from typing import Any

import torch
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.models.redirect.tracing import TRACED, Layers, find_layers
from unlearn_core.support.torchvision_compat import torchvision


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
    """Which layers run, and how (:func:`find_layers`): seen in one pass over shapes alone, nothing is computed."""
    net = make_network(architecture, classes, size).eval()
    weights = {name: value.to("meta") for name, value in [*net.named_parameters(), *net.named_buffers()]}
    images = torch.empty(TRACED, 3, *size, device="meta")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = find_layers(net, lambda: torch.func.functional_call(net, weights, (images,)))
    except Exception as error:  # whatever a network raises for images that do not suit it
        raise UserError(_too_small(architecture, size)) from error
    if not found.head:
        raise UserError(f"torchvision's {architecture} does not end in a linear layer, so it cannot be used here.")
    return found


def check_architecture(name: str) -> str:
    """``name``, if torchvision has such a classifier; :class:`UserError` with the nearest names otherwise."""
    models = torchvision().models
    known = models.list_models(module=models)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else " Examples are resnet18, mobilenet_v3_small and vit_b_16."
    raise UserError(f"torchvision has no classifier called {name!r}.{hint}")
