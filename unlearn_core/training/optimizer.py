"""The recipe's optimiser, and its learning rate from step to step."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

import torch
from torch import nn

from unlearn_core.specs import TrainingSpec

Kind = TypeVar("Kind", bound=torch.optim.Optimizer)


def _without_compiler(kind: type[Kind]) -> type[Kind]:
    """The same optimiser, which does not import torch's compiler: that takes more than a second of every process that trains.

    Torch wraps these methods so that a compiler, if one is at work, skips them; a step is never compiled here.
    """
    plain: dict[str, Any] = {name: inspect.unwrap(getattr(kind, name)) for name in ("zero_grad", "add_param_group", "step")}
    return type(kind.__name__, (kind,), plain | {"step": torch.no_grad()(plain["step"]), "__module__": __name__})


SGD = _without_compiler(torch.optim.SGD)
Adam = _without_compiler(torch.optim.Adam)
AdamW = _without_compiler(torch.optim.AdamW)


def make_optimizer(model: nn.Module, recipe: TrainingSpec, learning_rate: float | None = None) -> torch.optim.Optimizer:
    """The recipe's optimiser over all parameters that require a gradient."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    rate = recipe.learning_rate if learning_rate is None else learning_rate
    if recipe.optimizer == "adam":
        return Adam(parameters, lr=rate, weight_decay=recipe.weight_decay, fused=True)
    return SGD(parameters, lr=rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True)


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
