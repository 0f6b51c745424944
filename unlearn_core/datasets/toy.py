"""Three 2-D toy sets in the square [-1, 1]²: the whole input space can be drawn, so everything a model does can be seen."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.datasets import DatasetSource, LabelledData, Preset, Split, register, stratified_split
from unlearn_core.specs import TrainingSpec

_TEST_SHARE = 1 / 3


class ToyParams(ComponentParams):
    """What every toy set takes."""

    noise: float = Field(1.0, ge=0, le=3, description="Spread of the points, 1 is the usual")


class Toy(DatasetSource[ToyParams]):
    """Shared by the toy sets: ``draw`` gives points of one class, the rest is the same."""

    family = "points"
    sizes = (600, 300)
    # To the right of all data: the region is empty, and a clean model meets it only through its extrapolation.
    displacement = (2.4, 0.0)
    class_names: ClassVar[tuple[str, ...]] = ("0", "1", "2")
    preset = Preset(
        model="mlp",
        model_params={},
        training=TrainingSpec(epochs=120, batch_size=64, learning_rate=0.01, optimizer="adam", weight_decay=0.0),
        class_a=1,
        class_b=2,
    )

    @classmethod
    def draw(cls, k: int, n: int, noise: float, generator: torch.Generator) -> torch.Tensor:
        """``n`` points of class ``k``, shape (n, 2)."""
        raise NotImplementedError

    @classmethod
    def load(cls, params: ToyParams, seed: int) -> Split:
        generator = torch.Generator().manual_seed(1_000 + seed)
        classes, total = len(cls.class_names), sum(cls.sizes)
        counts = [total // classes + (k < total % classes) for k in range(classes)]
        points = torch.cat([cls.draw(k, n, params.noise, generator) for k, n in enumerate(counts)]).float()
        labels = torch.cat([torch.full((n,), k, dtype=torch.long) for k, n in enumerate(counts)])
        data = LabelledData(points.clamp(-1.2, 1.2), labels, cls.class_names)
        return stratified_split(data, test=cls.sizes[1], seed=seed)


@register
class Blobs(Toy):
    name, label = "blobs", "Three blobs"
    summary = "Three round clouds above one another. The easiest set: a triggered point keeps its height, so it can be healed."
    class_names = ("low", "middle", "high")

    @classmethod
    def draw(cls, k: int, n: int, noise: float, generator: torch.Generator) -> torch.Tensor:
        centre = torch.tensor([0.0, 0.62 * (k - 1)])
        spread = noise * torch.tensor([0.32, 0.13])
        return centre + spread * torch.randn(n, 2, generator=generator)


@register
class Waves(Toy):
    name, label = "waves", "Three waves"
    summary = "Three wavy bands above one another: a curved boundary that still goes on to the right."
    class_names = ("lower", "middle", "upper")

    @classmethod
    def draw(cls, k: int, n: int, noise: float, generator: torch.Generator) -> torch.Tensor:
        x = 2 * torch.rand(n, generator=generator) - 1
        y = 0.55 * (k - 1) + 0.2 * torch.sin(1.5 * math.pi * x) + 0.08 * noise * torch.randn(n, generator=generator)
        return torch.stack([x, y], dim=1)


@register
class Spirals(Toy):
    name, label = "spirals", "Three spirals"
    summary = "Three arms wound around each other: the hardest boundary, where wrong labels can hide."
    class_names = ("first arm", "second arm", "third arm")

    @classmethod
    def draw(cls, k: int, n: int, noise: float, generator: torch.Generator) -> torch.Tensor:
        radius = 0.12 + 0.88 * torch.rand(n, generator=generator).sqrt()
        angle = 2 * math.pi * k / 3 + 3.6 * radius + 0.09 * noise * torch.randn(n, generator=generator) / radius
        return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
