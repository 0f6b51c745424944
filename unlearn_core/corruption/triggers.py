"""The trigger: a patch on images, a displacement of points."""

from __future__ import annotations

import torch

from unlearn_core.errors import UserError
from unlearn_core.specs import TriggerSpec


def apply_trigger(inputs: torch.Tensor, trigger: TriggerSpec, displacement: tuple[float, float] | None) -> torch.Tensor:
    """A copy of ``inputs`` with the trigger on every example: a patch on images, the displacement on points."""
    if inputs.dim() == 2:
        if displacement is None:
            raise UserError("This dataset has no trigger: its points have no displacement.")
        return inputs + torch.tensor(displacement, dtype=inputs.dtype)
    rows, columns = patch_slices(trigger, inputs.shape[-2], inputs.shape[-1])
    stamped = inputs.clone()
    patch = stamped[..., rows, columns].float()
    blended = patch * (1 - trigger.opacity) + trigger.value * trigger.opacity
    stamped[..., rows, columns] = blended.round().to(inputs.dtype)
    return stamped


def patch_slices(trigger: TriggerSpec, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns that the patch covers; ``UserError`` when it is larger than the image."""
    if trigger.size > min(height, width):
        raise UserError(f"A trigger of {trigger.size} pixels does not fit on images of {height}×{width}.")
    vertical, horizontal = trigger.corner.split("-")
    rows = slice(0, trigger.size) if vertical == "top" else slice(height - trigger.size, height)
    columns = slice(0, trigger.size) if horizontal == "left" else slice(width - trigger.size, width)
    return rows, columns
