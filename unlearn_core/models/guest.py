"""A network of the user's own class, with redirect channels beside its layers for as long as it is unlearned."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.models.redirect.adapter_net import AdapterNet
from unlearn_core.models.redirect.layers import RedirectNet
from unlearn_core.models.redirect.tracing import TRACED, Layers, find_layers

Optimizer = Literal["sgd", "adam"]
_RESETS = ("reset_parameters", "_reset_parameters")


class GuestNet(AdapterNet):
    """``net``, which it keeps and changes: a classifier that gives logits (B, classes) for inputs as they come.

    Without a linear layer at its end it has no features: methods that need those raise :class:`UserError`.
    """

    def __init__(self, net: nn.Module, found: Layers, optimizer: Optimizer = "sgd") -> None:
        super().__init__(net, found)
        self.optimizer = optimizer

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        if self.head_name:
            return super().forward(x, mask)
        return RedirectNet.features(self, x, mask)  # without a head to take out, what the network gives are its logits

    def features(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        if not self.head_name:
            raise UserError(
                "This method looks at the features before the last linear layer, and this network does not end in one."
            )
        return super().features(x, mask)

    def prepare_inputs(self, x: torch.Tensor) -> torch.Tensor:
        return usual_layout(x)

    def widen(self, ratio: float, seed: int) -> None:
        if not self.hidden:
            raise UserError(
                "Redirect channels are put beside convolutions (nn.Conv2d), linear layers and attention, and this network has "
                "none before its last layer; choose a method that needs no redirect channels, such as finetune or npo."
            )
        super().widen(ratio, seed)


def usual_layout(x: torch.Tensor) -> torch.Tensor:
    """``x`` with its last dimension innermost. Training keeps images with their channels innermost; in a network that was
    written for the usual layout, ``view`` fails on that."""
    return x.clone(memory_format=torch.contiguous_format)


def inspect_network(net: nn.Module, examples: torch.Tensor) -> tuple[Layers, int]:
    """The layers of ``net`` that take an adapter, and its number of classes; ``examples``: two inputs as it takes them.

    ``net`` is left as it was. Raises :class:`UserError` for a network that gives no logits (B, classes) for them, in train
    mode as in eval mode.
    """
    probe, examples = copy.deepcopy(net), usual_layout(examples)
    if named := next((name for name, _ in [*probe.named_modules(), *probe.named_parameters()] if "redirect" in name), ""):
        raise UserError(f"The network has a part called {named!r}; names with 'redirect' are those of the added channels.")
    try:
        found = find_layers(probe.eval(), lambda: _logits(probe, examples))
        classes = _logits(probe, examples).shape[1]
        _logits(probe.train(), examples)
    except UserError:
        raise
    except Exception as error:  # whatever a network raises for examples that do not suit it
        why = " ".join(str(error).split())[:200].rstrip(".")
        raise UserError(
            f"The network cannot take examples of the shape {tuple(examples.shape[1:])}: {type(error).__name__}: {why}."
        ) from error
    return found, classes


def _logits(net: nn.Module, examples: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        logits = net(examples)
    if not isinstance(logits, torch.Tensor) or logits.dim() != 2 or len(logits) != TRACED:
        what = f"a tensor of the shape {tuple(logits.shape)}" if isinstance(logits, torch.Tensor) else type(logits).__name__
        mode = "train" if net.training else "eval"
        raise UserError(f"The network must give logits of the shape (examples, classes); in {mode} mode it gave {what}.")
    return logits


def reinitialise(net: nn.Module) -> nn.Module:
    """``net`` with every weight drawn anew by its layer's own initialisation; raises :class:`UserError` for weights that
    belong to no layer which has one."""
    for name, module in net.named_modules():
        reset: Callable[[], None] | None = next((getattr(module, word) for word in _RESETS if hasattr(module, word)), None)
        if reset is not None:
            reset()
        elif any(True for _ in module.parameters(recurse=False)):
            own = f"its part {name!r}" if name else "the network itself"
            raise UserError(
                f"This method trains a fresh network, and {own} has weights that cannot be drawn anew; give fresh=, a function "
                "that makes a new network of the same architecture."
            )
    return net
