"""Feature noise: images that are blurred, badly cropped or dark, with their right labels."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.base import Asked, Change, Corruption, registry
from unlearn_core.corruption.kinds import DAMAGED

_STREAM = 20_261_204


class FeatureNoiseParams(ComponentParams):
    damage: Literal["blur", "crop", "dark"] = Field("blur", description="blur, a wrong crop that cuts the object, or too dark")
    strength: float = Field(0.6, gt=0, lt=1, description="How much of the image is lost, from nothing to all of it")


@registry.register
class FeatureNoise(Corruption[FeatureNoiseParams]):
    """The labels stay right, so nothing can heal; what it costs is utility."""

    name, label = "feature_noise", "Feature noise"
    summary = "Images are blurred, badly cropped or dark; their labels stay right."
    place = 0.0
    labels_right = True
    images_only = True

    @classmethod
    def make(cls, params: FeatureNoiseParams, asked: Asked) -> Change:
        generator = torch.Generator().manual_seed(_STREAM + asked.seed)
        chosen = torch.randperm(len(asked.train), generator=generator)[: asked.count]
        images = asked.train.inputs[chosen].float()
        damaged = _DAMAGES[params.damage](images, params.strength, generator)
        kinds = torch.full((len(chosen),), DAMAGED, dtype=torch.int8)
        as_given = damaged.clamp(0, 255).round().to(asked.train.inputs.dtype)
        return Change(chosen, asked.train.labels[chosen], as_given, kinds)


def blur(images: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """``images`` (n, C, H, W) at a resolution that is lower by ``strength``, enlarged again."""
    height, width = (max(2, round((1 - strength) * side)) for side in images.shape[-2:])
    small = F.adaptive_avg_pool2d(images, (height, width))
    return F.interpolate(small, images.shape[-2:], mode="bilinear", align_corners=False)


def crop(images: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """A window of each image that shows 1 − ``strength`` of its area, somewhere, enlarged to all of it."""
    height, width = images.shape[-2:]
    rows, columns = (max(2, round((1 - strength) ** 0.5 * side)) for side in (height, width))
    top = torch.randint(height - rows + 1, (len(images),), generator=generator).tolist()
    left = torch.randint(width - columns + 1, (len(images),), generator=generator).tolist()
    cut = torch.stack([x[:, r : r + rows, c : c + columns] for x, r, c in zip(images, top, left, strict=True)])
    return F.interpolate(cut, (height, width), mode="bilinear", align_corners=False)


def darken(images: torch.Tensor, strength: float, generator: torch.Generator) -> torch.Tensor:
    """``images`` with 1 − ``strength`` of their light."""
    return images * (1 - strength)


_DAMAGES = {"blur": blur, "crop": crop, "dark": darken}
