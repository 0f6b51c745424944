"""What a kind of trigger says: how it is put on images, where it is seen, and what crops have to leave alone."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from typing_extensions import TypeVar

from unlearn_core.component import Component, ComponentParams, ComponentRegistry

Place = tuple[float, float, float, float]
"""Left, top, width and height as shares of the picture."""
Part = tuple[slice, slice]
"""Rows and columns of a part of a picture."""


P = TypeVar("P", bound=ComponentParams, default=ComponentParams)


class TriggerKind(Component[P]):
    """One way to mark images. Subclasses give ``put_on``, and the others where they are true."""

    paper: ClassVar[str] = ""
    """Where it was published."""

    @classmethod
    def put_on(cls, params: P, images: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """``images`` (N, C, H, W) with the trigger on each, both float and from 0 to 255 (what leaves that range is clipped).
        ``places``: (N, 3), column, row and radius in pixels of the object that each image shows."""
        raise NotImplementedError

    @classmethod
    def check(cls, params: P, height: int, width: int) -> None:
        """Raise :class:`UserError` where it does not fit on images of this size."""

    @classmethod
    def still(cls, params: P, height: int, width: int) -> Part | None:
        """Rows and columns that stay where they are when training crops and flips; None where the trigger moves with the
        image: a pattern that fills it is put on before, as in its publication."""
        return None

    @classmethod
    def seen_at(cls, params: P, height: int, width: int, place: tuple[float, float, float]) -> Place | None:
        """Where on an image the trigger is, given the place of its object; None where it is everywhere."""
        return None


registry: ComponentRegistry[TriggerKind[Any]] = ComponentRegistry("trigger", "unlearn_core.corruption.triggers")
