"""The optimisers of a REM run, and the learning rate of a step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from unlearn_core.methods.redirection.params import RemParams
from unlearn_core.models import RedirectNet
from unlearn_core.training import SGD, AdamW, set_rate

_ADAM = 0.01
"""AdamW's learning rate relative to SGD's (in the paper 1/250: 2e-5 on a transformer, 0.005 on ResNet-9)."""


def make_optimizer(model: RedirectNet, params: RemParams) -> torch.optim.Optimizer:
    """Redirection's: one group of base parameters, one of redirect channels with a rate of its own."""
    optimizer = make_base_optimizer(model, params, 1.0)
    redirect = [parameter for name, parameter in model.named_parameters() if "redirect" in name]
    optimizer.add_param_group({"params": redirect, "lr": _rate(model, params) * params.redirect_rate})
    return optimizer


def make_base_optimizer(model: RedirectNet, params: RemParams, relative_rate: float) -> torch.optim.Optimizer:
    """The network's kind of optimiser over its base: SGD, or AdamW for a transformer. (The paper has Adam, whose weight decay
    goes through the moments; decoupled, it is the same decay as SGD's.)"""
    base = [parameter for _, parameter in model.base_parameters()]
    rate, decay = relative_rate * _rate(model, params), params.weight_decay
    if model.optimizer == "adam":
        return AdamW(base, lr=rate, weight_decay=decay, fused=True)
    return SGD(base, lr=rate, momentum=params.momentum, weight_decay=decay, fused=True)


def lower_rate(optimizer: torch.optim.Optimizer, model: RedirectNet, params: RemParams, done: int, total: int) -> None:
    """The learning rates after ``done`` of ``total`` steps, where they fall (``final_rate``)."""
    if params.final_rate == 1:
        return
    factor = 1 - (1 - params.final_rate) * done / total
    for group, relative in zip(optimizer.param_groups, (1.0, params.redirect_rate), strict=True):
        set_rate(group, _rate(model, params) * relative * factor)


def keep_state(model: nn.Module, optimizer: torch.optim.Optimizer) -> Callable[[], None]:
    """A call that brings ``model`` and ``optimizer`` back to how they are now: in place, because recorded steps know their
    tensors by address. What the optimiser does not have yet it then has as zeros, from which it goes on as at its start."""

    def tensors() -> list[torch.Tensor]:
        moments = (value for state in optimizer.state.values() for value in state.values() if isinstance(value, torch.Tensor))
        return [*model.state_dict().values(), *moments]

    kept = [tensor.detach().clone() for tensor in tensors()]

    @torch.no_grad()
    def restore() -> None:
        for place, tensor in enumerate(tensors()):
            if place < len(kept):
                tensor.copy_(kept[place])
            else:
                tensor.zero_()

    return restore


def _rate(model: RedirectNet, params: RemParams) -> float:
    return params.learning_rate * (_ADAM if model.optimizer == "adam" else 1.0)
