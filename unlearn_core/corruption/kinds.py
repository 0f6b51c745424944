"""The kinds of corruption by number and by name."""

from __future__ import annotations

from typing import Final

RANDOM, CONFUSION, TRIGGER, FOUND = 0, 1, 2, 3
KINDS: Final = ("random label", "confusion", "trigger", "as found")
DIAL: Final = KINDS[:3]
"""The kinds that the dial makes; what data bring along is of the last kind."""
UNKNOWN: Final = "not known"
"""The name of a label that is not known."""
