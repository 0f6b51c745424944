"""Cards: the examples of one look, and how many of a line of suspects stand on one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unlearn_core.discovery.groups import Group

SHOWN = 16
"""Most examples on a card."""
HALVES = 0.25
"""What a mixed card is worth, as a share of one that settles all of its examples: two halves are still to be asked."""


@dataclass(frozen=True)
class Card:
    """A question: are the given labels of these examples wrong? ``shown`` int64 (n,): training indices. ``number``: from 1,
    the card's name; ``expected``: how many of the shown are expected to be wrong."""

    number: int
    group: Group
    shown: np.ndarray
    expected: float

    def __len__(self) -> int:
        return len(self.shown)


def cut_line(suspicion: np.ndarray) -> int:
    """How many from the start of a line make the most telling card; ``suspicion`` (n,), n ≥ 1: probabilities of being wrong.

    The count times the probability of an answer that is not "mixed", if all are wrong or right independently of each other:
    where the suspicion falls off, a few that are alike settle more than many that are mixed.
    """
    chances, settled = np.ones(1), []
    for count, value in enumerate(np.clip(suspicion, 0.0, 1.0), 1):
        chances = np.append(chances, 0.0) * (1 - value) + np.append(0.0, chances) * value
        pure = float(chances[0] + chances[-1])
        settled.append(count * (pure + HALVES * (1 - pure)))
    return int(np.argmax(settled)) + 1
