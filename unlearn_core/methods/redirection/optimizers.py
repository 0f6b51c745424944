"""The optimisers of a REM run, and the learning rate of a step."""

from __future__ import annotations

import torch

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


def _rate(model: RedirectNet, params: RemParams) -> float:
    return params.learning_rate * (_ADAM if model.optimizer == "adam" else 1.0)
