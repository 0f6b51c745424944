"""A dataset in a single file: three rings around one another."""

from __future__ import annotations

import math

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.datasets import DatasetSource, LabelledData, Preset, Split, register, stratified_split
from unlearn_core.specs import TrainingSpec


class RingParams(ComponentParams):
    spread: float = Field(0.06, ge=0, le=0.5, description="Standard deviation of the distance from the middle")


@register
class Rings(DatasetSource[RingParams]):
    name, label = "rings", "Three rings"
    summary = "Three rings around one another in the plane: every boundary is closed."
    family = "points"
    sizes = (600, 300)
    displacement = (2.4, 0.0)
    preset = Preset(
        model="mlp",
        model_params={},
        training=TrainingSpec(epochs=80, batch_size=64, learning_rate=0.01, optimizer="adam", weight_decay=0.0),
        class_a=1,
        class_b=2,
    )

    @classmethod
    def load(cls, params: RingParams, seed: int) -> Split:
        generator = torch.Generator().manual_seed(seed)
        labels = torch.arange(900) % 3
        distance = 0.25 + 0.3 * labels + params.spread * torch.randn(900, generator=generator)
        angle = 2 * math.pi * torch.rand(900, generator=generator)
        points = torch.stack([distance * angle.cos(), distance * angle.sin()], dim=1)
        return stratified_split(LabelledData(points, labels, ("inner", "middle", "outer")), test=300, seed=seed)
