"""Kinds of trigger, one file each, and how one is put on examples: a mark on images, a displacement of points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from unlearn_core.corruption.triggers.base import Part, Place, TriggerKind, registry
from unlearn_core.errors import UserError
from unlearn_core.specs import Scalar, TriggerSpec

__all__ = [
    "Part",
    "Place",
    "TriggerKind",
    "apply_trigger",
    "make_trigger",
    "patch_slices",
    "place_seen",
    "registry",
    "spelled_out",
]

PATCH = "patch"
_AT_A_TIME = 2048
"""Images that are numbers of four bytes a pixel at the same time."""


def make_trigger(usual: TriggerSpec, given: Mapping[str, Scalar]) -> TriggerSpec:
    """The trigger with ``given`` in place of what is usual; another kind starts from its own defaults. Raises
    :class:`UserError` for a kind or a value that cannot be."""
    kind = str(given.get("kind", usual.kind))
    own = {name: value for name, value in given.items() if name != "kind"}
    start: dict[str, Any] = _values(usual) if kind == usual.kind else {}
    if kind == PATCH:
        return TriggerSpec.parse(start | own)
    return TriggerSpec(kind=kind, params=registry.get(kind).full_params(start | own))


def apply_trigger(
    inputs: torch.Tensor,
    trigger: TriggerSpec,
    displacement: tuple[float, float] | None,
    places: torch.Tensor | None = None,
) -> torch.Tensor:
    """A copy of ``inputs`` with the trigger on every example: a mark on images, the displacement on points. ``places``: (N, 3),
    where each image's object is; the middle of the picture where that is not known."""
    if inputs.dim() == 2:
        if displacement is None:
            raise UserError("This dataset has no trigger: its points have no displacement.")
        return inputs + torch.tensor(displacement, dtype=inputs.dtype)
    kind, params = _kind_of(trigger, *inputs.shape[-2:])
    if places is None:
        places = _middle(*inputs.shape[-2:]).expand(len(inputs), -1)
    return torch.cat(
        [
            kind.put_on(params, some.float(), at).clamp(0, 255).round().to(inputs.dtype)
            for some, at in zip(inputs.split(_AT_A_TIME), places.split(_AT_A_TIME), strict=True)
        ]
    )


def patch_slices(trigger: TriggerSpec, height: int, width: int) -> Part | None:
    """Rows and columns that crops leave alone, None where there are none; ``UserError`` when it is larger than the image."""
    kind, params = _kind_of(trigger, height, width)
    return kind.still(params, height, width)


def place_seen(trigger: TriggerSpec, height: int, width: int, place: torch.Tensor | None = None) -> Place | None:
    """Where the trigger is seen on an image whose object is at ``place`` (3,); None where it is everywhere."""
    kind, params = _kind_of(trigger, height, width)
    x, y, radius = (_middle(height, width) if place is None else place).tolist()
    return kind.seen_at(params, height, width, (x, y, radius))


def spelled_out(trigger: TriggerSpec) -> dict[str, Any]:
    """Every field as ``trigger.NAME`` sets it, the kind only where it is not the patch."""
    return _values(trigger) | ({} if trigger.kind == PATCH else {"kind": trigger.kind})


def _values(trigger: TriggerSpec) -> dict[str, Any]:
    """What it is made of, whatever its kind."""
    return trigger.model_dump() if trigger.kind == PATCH else dict(trigger.params)


def _kind_of(trigger: TriggerSpec, height: int, width: int) -> tuple[type[TriggerKind], Any]:
    kind = registry.get(trigger.kind)
    params = kind.params(_values(trigger))
    kind.check(params, height, width)
    return kind, params


def _middle(height: int, width: int) -> torch.Tensor:
    return torch.tensor([(width - 1) / 2, (height - 1) / 2, min(height, width) * 0.4])
