"""What a benchmark is to reach, beside what it reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """``asked`` in words, such as "≥ 0.9"; ``met``: None where nothing is asked; ``error``: standard error, NaN if unknown."""

    name: str
    asked: str
    measured: float
    met: bool | None
    error: float = math.nan

    def line(self) -> str:
        """As a line for a terminal."""
        verdict = {True: "ok", False: "MISSED", None: ""}[self.met]
        spread = "" if math.isnan(self.error) else f" ± {self.error:.3f}"
        return f"{self.name:76s} asked {self.asked:22s} measured {self.measured:.3f}{spread}  {verdict}".rstrip()

    def plain(self) -> dict[str, str | float | bool | None]:
        """As the results keep it; what is undefined is None."""
        measured, error = (None if math.isnan(value) else value for value in (self.measured, self.error))
        return {"what": self.name, "asked": self.asked, "mean": measured, "standard_error": error, "met": self.met}
