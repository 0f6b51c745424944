"""Data in which a few wrong labels are what a network believes first, and gives up later."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from unlearn_core.models import RedirectNet, build_model
from unlearn_core.specs import ModelSpec, TrainingSpec
from unlearn_core.training import DeviceData


@dataclass
class Pocket:
    """Two halves of a plane, and a pocket in the right one that belongs to the left one's class. A few points of the pocket
    have the label of what lies around it, which is what a network believes first."""

    seed: int = 7
    recipe: TrainingSpec = field(
        default_factory=lambda: TrainingSpec(epochs=160, batch_size=64, learning_rate=0.05, weight_decay=0.0)
    )

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(3)
        around = torch.rand(400, 2, generator=generator) * torch.tensor([4.0, 3.0]) - torch.tensor([1.5, 1.5])
        around = around[(around - torch.tensor([1.2, 0.0])).norm(dim=1) > 0.6]
        pocket = torch.randn(50, 2, generator=generator) * 0.1 + torch.tensor([1.2, 0.0])
        inputs = torch.cat([around, pocket])
        labels = torch.cat([(around[:, 0] > 0).long(), torch.zeros(50, dtype=torch.long)])
        self.wrong = torch.arange(len(around), len(around) + 6)
        labels[self.wrong] = 1
        self.data = DeviceData(inputs, labels, 2, torch.zeros(2), torch.ones(2))

    def fresh_model(self, seed: int) -> RedirectNet:
        return build_model(ModelSpec(name="mlp", params={"width": 32}), (2,), 2, seed)
