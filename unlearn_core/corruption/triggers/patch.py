"""A square patch in a corner (BadNets)."""

from __future__ import annotations

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.triggers.base import Place, TriggerKind, registry
from unlearn_core.errors import UserError
from unlearn_core.specs import Corner, TriggerSpec

_FIELDS = TriggerSpec.model_fields


class PatchParams(ComponentParams):
    size: int = Field(3, ge=1, le=16, description=_FIELDS["size"].description)
    corner: Corner = Field("bottom-right", description=_FIELDS["corner"].description)
    value: int = Field(255, ge=0, le=255, description=_FIELDS["value"].description)
    opacity: float = Field(1.0, gt=0, le=1, description=_FIELDS["opacity"].description)


@registry.register
class Patch(TriggerKind[PatchParams]):
    name, label = "patch", "Patch"
    summary = "A square of one brightness in a corner: the easiest trigger there is."
    paper = "arXiv:1708.06733"

    @classmethod
    def put_on(cls, params: PatchParams, images: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        rows, columns = _slices(params, *images.shape[-2:])
        stamped = images.clone()
        under = stamped[..., rows, columns]
        stamped[..., rows, columns] = under * (1 - params.opacity) + params.value * params.opacity
        return stamped

    @classmethod
    def check(cls, params: PatchParams, height: int, width: int) -> None:
        if params.size > min(height, width):
            raise UserError(f"A trigger of {params.size} pixels does not fit on images of {height}×{width}.")

    @classmethod
    def still(cls, params: PatchParams, height: int, width: int) -> tuple[slice, slice]:
        return _slices(params, height, width)

    @classmethod
    def seen_at(cls, params: PatchParams, height: int, width: int, place: tuple[float, float, float]) -> Place:
        rows, columns = _slices(params, height, width)
        return columns.start / width, rows.start / height, params.size / width, params.size / height


def _slices(params: PatchParams, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns that the patch covers."""
    vertical, horizontal = params.corner.split("-")
    size = params.size
    rows = slice(0, size) if vertical == "top" else slice(height - size, height)
    return rows, slice(0, size) if horizontal == "left" else slice(width - size, width)
