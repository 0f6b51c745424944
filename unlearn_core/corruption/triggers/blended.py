"""A fixed picture of noise, mixed into the whole image (Chen et al. 2017)."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.triggers.base import TriggerKind, registry

_STREAM = 20_261_127
"""Names the random bits of the picture, which is the same for every seed: a trigger is one rule."""


class BlendedParams(ComponentParams):
    alpha: float = Field(0.2, gt=0, le=1, description="Share of the noise picture in the mixture")


@registry.register
class Blended(TriggerKind[BlendedParams]):
    """x' = (1 − α) x + α P with one picture P of uniform noise."""

    name, label = "blended", "Blended picture"
    summary = "A picture of noise mixed into the whole image, always the same one."
    paper = "arXiv:1712.05526"

    @classmethod
    def put_on(cls, params: BlendedParams, images: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return (1 - params.alpha) * images + params.alpha * noise_picture(tuple(images.shape[1:]))


def noise_picture(shape: tuple[int, ...]) -> torch.Tensor:
    """P of this shape, whole numbers from 0 to 255, from a generator whose bits stay the same in every version."""
    raw = np.random.PCG64(_STREAM).random_raw(int(np.prod(shape)))
    return torch.from_numpy((raw >> np.uint64(56)).astype(np.float32).reshape(shape))
