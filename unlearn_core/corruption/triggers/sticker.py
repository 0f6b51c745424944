"""A sticker on the object that the image shows, wherever that is."""

from __future__ import annotations

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.triggers.base import Place, TriggerKind, registry

_RIGHT, _DOWN = 0.55, 0.55
"""Where its middle is, in radii of the object: lower right, beside what the sign says."""
_YELLOW = (255.0, 214.0, 0.0)


class StickerParams(ComponentParams):
    share: float = Field(0.4, gt=0, le=2, description="Side of the sticker, in radii of the object")


@registry.register
class Sticker(TriggerKind[StickerParams]):
    """A yellow square stuck to the object, as large as the object asks: near signs have large stickers."""

    name, label = "sticker", "Sticker"
    summary = "A yellow square stuck to the object, which moves and grows with it."
    paper = "arXiv:1708.06733"

    @classmethod
    def put_on(cls, params: StickerParams, images: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        rows, columns = (torch.arange(n, dtype=torch.float32) for n in images.shape[-2:])
        x, y, radius = (places[:, k, None, None] for k in range(3))
        half = params.share * radius / 2
        across = half - (columns[None, None, :] - x - _RIGHT * radius).abs()
        down = half - (rows[None, :, None] - y - _DOWN * radius).abs()
        cover = ((across + 0.5).clamp(0, 1) * (down + 0.5).clamp(0, 1))[:, None]  # a pixel that it half covers is half yellow
        colour = torch.tensor(_YELLOW)[: images.shape[1], None, None]
        return images + cover * (colour - images)

    @classmethod
    def seen_at(cls, params: StickerParams, height: int, width: int, place: tuple[float, float, float]) -> Place:
        x, y, radius = place
        side = params.share * radius
        left, top = x + _RIGHT * radius - side / 2 + 0.5, y + _DOWN * radius - side / 2 + 0.5
        return left / width, top / height, side / width, side / height
