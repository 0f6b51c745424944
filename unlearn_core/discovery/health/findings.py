"""What data health finds: groups of training examples, each with what was measured and the threshold that it goes by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Level = Literal["image", "data set"]
"""Whether something is wrong with single images, or with the set as a whole."""


@dataclass(frozen=True)
class Finding:
    """One group. ``members`` int64 (n,): training indices, the most telling first, or copies beside each other; ``values``
    float64 (n,): what was measured of each, called ``measure``. ``rule``: the threshold in words, with its source. ``tested``:
    how many test images have the same trouble, where these were looked at."""

    name: str
    level: Level
    title: str
    sentence: str
    rule: str
    members: np.ndarray
    values: np.ndarray
    measure: str
    tested: int = 0

    def __len__(self) -> int:
        return len(self.members)


@dataclass(frozen=True)
class Health:
    """All that was found, the findings of single images first; ``examined``: what was looked for; ``left_out``: what was not,
    and why, one sentence each."""

    findings: tuple[Finding, ...]
    examined: tuple[str, ...]
    left_out: tuple[str, ...]

    def of(self, name: str) -> Finding:
        """The finding of this name. Raises LookupError where there is none."""
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise LookupError(f"there is no finding {name!r}")

    @property
    def sentence(self) -> str:
        """What it comes to, in one sentence."""
        looked = f"{len(self.examined)} things were looked for"
        if not self.findings:
            return f"Nothing was found: {looked}."
        count = len(np.unique(np.concatenate([one.members for one in self.findings if one.level == "image"] or [np.empty(0)])))
        whole = sum(one.level == "data set" for one in self.findings)
        parts = [f"{count:,} training image{'s' if count != 1 else ''} to look at"] if count else []
        parts += [f"{whole} finding{'s' if whole != 1 else ''} about the set as a whole"] if whole else []
        return f"{' and '.join(parts)}; {looked}.".capitalize()


def together(parts: Sequence[Health]) -> Health:
    """Several examinations of the same data as one."""
    findings = sorted((one for part in parts for one in part.findings), key=lambda one: one.level == "data set")
    examined = [one for part in parts for one in part.examined]
    return Health(tuple(findings), tuple(examined), tuple(one for part in parts for one in part.left_out))
