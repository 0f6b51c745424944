"""What a public server does for one session and for all: every limit with its default, and the two ways to change it."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final

from unlearn_core.errors import UserError

VARIABLE: Final = "UNLEARN_LIMITS"
"""Changes of the defaults, such as ``running=1,seconds=300``; ``app --public --limit running=1`` sets it."""
_MOST: Final = 10**12


def _limit(default: int, words: str, least: int = 1) -> int:
    """A field with its default; ``least``: the smallest value it may be set to."""
    found: int = dataclasses.field(default=default, metadata={"words": words, "least": least})
    return found


@dataclass(frozen=True)
class Limits:
    """A session is a browser, or the person who signed in. What a limit of 0 means is said with each that may be 0."""

    running: int = _limit(2, "stages of one session that are computed at a time; its others wait")
    running_all: int = _limit(0, "stages of all sessions that are computed at a time; 0: as many as there are workers", 0)
    waiting: int = _limit(100, "stages of one session that wait or are computed")
    waiting_all: int = _limit(1000, "stages of all sessions that wait or are computed")
    seconds: int = _limit(900, "seconds of computing for one session within the window")
    window: int = _limit(3600, "seconds after which computing is no longer counted")
    size: int = _limit(10_000_000, "epochs × training examples × width of one stage")
    cells: int = _limit(100, "stages that one request may ask for, such as the cells of a sweep")
    sessions: int = _limit(20, "sessions of one network address that have something computed at a time; 0: any number", 0)
    open: int = _limit(100, "tabs that are open at a time; whoever comes then waits for a place; 0: any number", 0)
    idle: int = _limit(900, "seconds after which the place of a tab that nobody uses goes to one who waits; 0: never", 0)
    upload_mb: int = _limit(50, "megabytes of one file that is handed over")
    uploads_mb: int = _limit(100, "megabytes of all files that one session handed over")
    uploads_all_mb: int = _limit(2000, "megabytes of all files that were handed over")
    upload_hours: int = _limit(24, "hours after which a file that was handed over is deleted")
    decoded_mb: int = _limit(256, "megabytes of memory that the images of one file may take once they are decoded")
    sets: int = _limit(50, "named forget sets of one session")

    @classmethod
    def described(cls) -> list[tuple[str, int, str]]:
        """Name, default and meaning of every limit."""
        plain = cls()
        return [(field.name, int(getattr(plain, field.name)), str(field.metadata["words"])) for field in fields(cls)]


def parse_limits(changes: Iterable[str]) -> Limits:
    """The defaults with these changes, each ``name=number``; raises :class:`UserError` for what is no limit or out of range."""
    least = {field.name: int(field.metadata["least"]) for field in fields(Limits)}
    found: dict[str, int] = {}
    for change in changes:
        name, _, text = (part.strip() for part in change.partition("="))
        if name not in least:
            raise UserError(f"There is no limit called {name[:40]!r}; known: {', '.join(least)}.")
        number = int(text.replace("_", "")) if text.replace("_", "").isascii() and text.replace("_", "").isdigit() else -1
        if not least[name] <= number <= _MOST:
            raise UserError(f"The limit {name} must be a whole number of at least {least[name]} (got {text[:40]!r}).")
        found[name] = number
    return Limits(**found)


def limits() -> Limits:
    """The limits of this server: the defaults with the changes in ``UNLEARN_LIMITS``."""
    return _read(os.environ.get(VARIABLE, ""))


@functools.lru_cache(maxsize=8)
def _read(text: str) -> Limits:
    return parse_limits(part for part in text.split(",") if part.strip())
