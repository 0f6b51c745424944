"""The recipe's optimiser, and its learning rate from step to step."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from unlearn_core.specs import TrainingSpec


def make_optimizer(model: nn.Module, recipe: TrainingSpec, learning_rate: float | None = None) -> torch.optim.Optimizer:
    """The recipe's optimiser over all parameters that require a gradient."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    rate = recipe.learning_rate if learning_rate is None else learning_rate
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=rate, weight_decay=recipe.weight_decay, fused=True)
    return torch.optim.SGD(parameters, lr=rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True)


def rates_on_device(optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    """Learning rates as tensors: a recorded step reads them where they lie."""
    for group in optimizer.param_groups:
        group["lr"] = torch.full((), group["lr"], device=device)


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Another learning rate for a group of an optimiser, a recorded one too."""
    if isinstance(group["lr"], torch.Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def rate_factor(step: int, total: int, warmup: float, final: float) -> float:
    """Learning-rate factor: linear rise over ``warmup``·total steps, then linear fall that ends at ``final``."""
    rise = max(1, round(warmup * total))
    if step < rise:
        return (step + 1) / rise
    return 1 - (1 - final) * (step - rise) / max(1, total - rise)
