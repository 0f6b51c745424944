"""What a benchmark is to reach, beside what it reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass


def verdict(met: bool | None) -> str:
    """Whether a target is reached, as documents say it; "" where nothing is asked."""
    return {True: "reached", False: "**missed**", None: ""}[met]


@dataclass(frozen=True)
class Target:
    """``asked`` in words, such as "≥ 0.9"; ``met``: None where nothing is asked; ``error``: standard error, NaN if unknown."""

    name: str
    asked: str
    measured: float
    met: bool | None
    error: float = math.nan

    @classmethod
    def at_least(cls, measured: float, least: float, name: str = "", unit: str = "", error: float = math.nan) -> Target:
        """Of which ``least`` is asked or more; ``unit`` with the space before it. NaN misses it."""
        return cls(name, f"≥ {least:g}{unit}", measured, measured >= least, error)

    @classmethod
    def at_most(cls, measured: float, most: float, name: str = "", unit: str = "", error: float = math.nan) -> Target:
        """Of which ``most`` is asked or less."""
        return cls(name, f"≤ {most:g}{unit}", measured, measured <= most, error)

    @property
    def verdict(self) -> str:
        """As documents say it; "" where nothing is asked."""
        return verdict(self.met)

    def line(self) -> str:
        """As a line for a terminal."""
        verdict = {True: "ok", False: "MISSED", None: ""}[self.met]
        spread = "" if math.isnan(self.error) else f" ± {self.error:.3f}"
        return f"{self.name:76s} asked {self.asked:22s} measured {self.measured:.3f}{spread}  {verdict}".rstrip()

    def plain(self) -> dict[str, str | float | bool | None]:
        """As the results keep it; what is undefined is None."""
        measured, error = (None if math.isnan(value) else value for value in (self.measured, self.error))
        return {"what": self.name, "asked": self.asked, "mean": measured, "standard_error": error, "met": self.met}
