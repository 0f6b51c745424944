"""Noise canaries: images with a little noise of their own and their right labels, by whose traces deletion can be tested."""

from __future__ import annotations

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.base import Asked, Change, Corruption, registry
from unlearn_core.corruption.kinds import DAMAGED

_STREAM, _DRAW = 20_270_115, 20_270_116
NAME = "noise_canaries"
"""The kind, as a scenario names it."""


class NoiseCanariesParams(ComponentParams):
    strength: float = Field(
        0.2, gt=0, le=1, description="Standard deviation of the noise; pixels go from 0 to 1. More noise, clearer traces"
    )


@registry.register
class NoiseCanaries(Corruption[NoiseCanariesParams]):
    """x' = x + ξ with ξ ~ N(0, ε²) in every pixel, cut off at black and white; labels stay right, so nothing can heal. Whether
    the network still knows ξ is what ``evaluation.canaries`` measures: a test of deletion that no accuracy sees."""

    name, label = NAME, "Noise canaries"
    summary = "Images with a little noise of their own; labels stay right. Unlearning should leave no trace of the noise."
    paper = "arXiv:2406.17216"
    place = 0.0
    labels_right = True
    images_only = True

    @classmethod
    def make(cls, params: NoiseCanariesParams, asked: Asked) -> Change:
        chosen = torch.randperm(len(asked.train), generator=torch.Generator().manual_seed(_STREAM + asked.seed))[: asked.count]
        images = asked.train.inputs[chosen]
        grainy = images.float() + 255 * canary_noise(params.strength, images.shape, asked.seed)
        kinds = torch.full((len(chosen),), DAMAGED, dtype=torch.int8)
        return Change(chosen, asked.train.labels[chosen], grainy.clamp(0, 255).round().to(images.dtype), kinds)


def canary_noise(strength: float, shape: torch.Size, seed: int) -> torch.Tensor:
    """ξ of all canaries as it was drawn, before it was cut off: float32 of ``shape`` (n, C, H, W), in order of discovery."""
    return strength * torch.randn(shape, generator=torch.Generator().manual_seed(_DRAW + seed))
