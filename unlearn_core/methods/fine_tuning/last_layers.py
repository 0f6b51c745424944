"""A network as a row of weight layers: which of its modules are the last k, and training those alone."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods.base import MethodParams, UnlearningTask
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.training import Reporter, Trainer, cross_entropy


def weight_layers(model: nn.Module) -> list[list[str]]:
    """Module names of each weight layer, first to last: a convolution or linear layer with the norms that follow it.

    Where a network lists its norms apart, as many as there are layers before the head, the i-th belongs to the i-th layer.
    Otherwise a norm belongs to the last weight layer that was defined before it (the first one, if there is none).
    """
    own = {name: dict(m.named_parameters(recurse=False)).get("weight") for name, m in model.named_modules()}
    weighted = [name for name, weight in own.items() if weight is not None and weight.dim() > 1]
    norms = [name for name, weight in own.items() if weight is not None and weight.dim() == 1]
    groups = [[name] for name in weighted]
    order = list(own)
    for position, norm in enumerate(norms):
        before = [k for k, name in enumerate(weighted) if order.index(name) < order.index(norm)]
        follows = position if len(norms) == len(weighted) - 1 else (before[-1] if before else 0)
        groups[follows].append(norm)
    return groups


class LastLayersParams(MethodParams):
    epochs: int = Field(10, ge=1, le=200, description="Passes over the retain set")
    learning_rate: float = Field(0.025, gt=0, le=1, description="Highest learning rate")
    k: int = Field(2, ge=0, le=64, description="Weight layers, counted from the end, that are trained; 0 for all")


class LastLayers(FittedMethod[LastLayersParams]):
    """Base of CF-k and EU-k: the last k weight layers train on the retain set, the prefix is frozen.

    The suffix is in train mode; the prefix is in eval mode and without gradients, so not even its statistics move.
    """

    def prepare(self, model: nn.Module, task: UnlearningTask, suffix: list[str]) -> None:
        """Change the suffix (module names; [""] for the whole network) before training."""

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        groups = weight_layers(model)
        whole = p.k in (0, len(groups)) or p.k > len(groups)
        suffix = [""] if whole else [name for group in groups[-p.k :] for name in group]
        rounds = Rounds(reporter, task)  # before anything changes: it looks at the original
        self.prepare(model, task, suffix)
        free = {id(q) for name in suffix for q in model.get_submodule(name).parameters()}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in free)
        frozen = [] if whole else [m for name, m in model.named_modules() if name and not _inside(name, suffix)]
        recipe = task.recipe.model_copy(update={"epochs": p.epochs, "learning_rate": p.learning_rate})

        def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            for module in frozen:  # an epoch begins by putting all of the network into train mode
                module.training = False
            return cross_entropy(model, x, y, ids)

        Trainer(model, task.data, recipe, task.seed + 1, rounds, loss).fit(task.retain)
        return rounds.returned(model).requires_grad_(True)


def _inside(name: str, modules: list[str]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in modules)
