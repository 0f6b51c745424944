"""Networks and tasks small enough to compute a method's pieces by hand, in double precision."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from unlearn_core.methods import UnlearningTask
from unlearn_core.models import RedirectNet
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import DeviceData


def tiny_data(inputs: torch.Tensor, labels: torch.Tensor, classes: int) -> DeviceData:
    """Points (N, D) whose normalisation does nothing."""
    width = inputs.shape[1]
    return DeviceData(inputs, labels, classes, torch.zeros(width, dtype=inputs.dtype), torch.ones(width, dtype=inputs.dtype))


def tiny_task(model: nn.Module, data: DeviceData, forget: list[int]) -> UnlearningTask:
    """A task on ``data`` whose forget set are these indices."""
    chosen = torch.tensor(forget)
    retain = torch.tensor([k for k in range(len(data)) if k not in forget])
    network = cast("RedirectNet", model)  # a layer stands in: what is tested here adds no redirect channels
    recipe = TrainingSpec(epochs=1, batch_size=2, learning_rate=0.1)
    return UnlearningTask(network, data, chosen, retain, lambda seed: network, recipe, seed=0)


def random_task(count: int = 12, features: int = 3, classes: int = 3, forget: int = 4) -> UnlearningTask:
    """A linear classifier on random points, float64."""
    generator = torch.Generator().manual_seed(3)
    model = nn.Linear(features, classes, dtype=torch.float64)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    inputs = torch.randn(count, features, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (count,), generator=generator)
    return tiny_task(model, tiny_data(inputs, labels, classes), list(range(forget)))
