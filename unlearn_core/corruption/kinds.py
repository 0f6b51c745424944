"""The kinds of corruption by number and by name."""

from __future__ import annotations

from typing import Final

RANDOM, CONFUSION, TRIGGER, FOUND, ADDED = 0, 1, 2, 3, 4
KINDS: Final = ("random label", "confusion", "trigger", "as found", "from a plug-in")
DIAL: Final = KINDS[:3]
"""The kinds that the dial makes; what data bring along, and what plug-ins make, is of the others."""
UNKNOWN: Final = "not known"
"""The name of a label that is not known."""
