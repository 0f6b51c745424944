"""Kinds of corruption by name: what the dial makes at its named places, kinds of trigger, what takes the dial's place."""

from __future__ import annotations

from typing import Final

from unlearn_core.corruption.base import registry
from unlearn_core.corruption.triggers import registry as triggers

DIAL_KINDS: Final = {"random": ("Random labels", 0.0), "confusion": ("Two classes", 0.5), "trigger": ("Trigger", 1.0)}
"""Name → words and place. ``trigger`` is that of points, which has no kinds; of images each kind has its own name."""


def kind_label(name: str) -> str:
    """A kind in a word or two; raises :class:`UserError` where there is none of this name."""
    if name in DIAL_KINDS:
        return DIAL_KINDS[name][0]
    return str((triggers if name in triggers else registry).get(name).label)


def is_kind(name: str) -> bool:
    """Whether there is a kind of this name."""
    return name in DIAL_KINDS or name in triggers or name in registry


def labels_right(name: str) -> bool:
    """Whether examples of this kind carry their right label, so that nothing of them can heal."""
    return name in registry and registry.get(name).labels_right
