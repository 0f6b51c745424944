"""The kinds of corruption by number and by name."""

from __future__ import annotations

from typing import Final

RANDOM, CONFUSION, TRIGGER, FOUND, ADDED, NOISE, MARKED, ATTRIBUTE, DAMAGED, FIRST_TRIGGER = range(10)
MOST_TRIGGERS: Final = 4
"""How many triggers one corruption can hold, numbered from :data:`FIRST_TRIGGER`."""
DRAWN: Final = FIRST_TRIGGER + MOST_TRIGGERS
KINDS: Final = (
    "random label", "confusion", "trigger", "as found", "from a plug-in", "label noise", "trigger, right label",
    "attribute, right label", "damaged image, right label", *(f"trigger {k + 1}" for k in range(MOST_TRIGGERS)),
    "drawn by hand",
)  # fmt: skip
DIAL: Final = KINDS[:3]
"""The kinds that the dial makes; what data bring along, and what takes the dial's place, is of the others."""
UNKNOWN: Final = "not known"
"""The name of a label that is not known."""
