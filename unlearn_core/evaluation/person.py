"""A person made up for measuring: looks at a card, answers from the ground truth, and slips now and then."""

from __future__ import annotations

import numpy as np
import torch

from unlearn_core.corruption import GroundTruth

MOSTLY = 0.9
"""Share of a card from which on it is called wrong, or right: a glance does not count to sixteen."""
WRONG, RIGHT, MIXED = "wrong", "right", "mixed"


class SimulatedPerson:
    """Answers from ``truth``, with ``labels`` (N,) as given; one answer in ``1 / slips`` is another one, drawn at random."""

    def __init__(self, truth: GroundTruth, labels: torch.Tensor, slips: float = 0.0, seed: int = 0) -> None:
        self.wrong = (truth.clean_labels != labels.cpu()).numpy()
        self.slips, self.draw = slips, np.random.default_rng(seed)

    def look(self, shown: np.ndarray) -> str:
        """What the person says of the examples ``shown`` (n,): "wrong", "right" or "mixed"."""
        share = float(self.wrong[shown].mean())
        answer = WRONG if share >= MOSTLY else RIGHT if share <= 1 - MOSTLY + 1e-9 else MIXED
        if self.draw.random() >= self.slips:
            return answer
        others = [other for other in (WRONG, RIGHT, MIXED) if other != answer]
        return others[int(self.draw.integers(len(others)))]
