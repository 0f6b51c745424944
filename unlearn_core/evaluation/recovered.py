"""The recovered share: how much of what knowing every wrong label would win back a method has won back without that."""

from __future__ import annotations

import math

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.accuracy import Healed, HealedTimesUtility, Utility

ERRORS = 2.0
"""Standard errors that the oracle must lie above the original: below that there is nothing whose share could be told."""


def recovered(now: float, before: float, best: float) -> float:
    """(now − before) / (best − before): 0 nothing, 1 as good as the oracle, negative: harm."""
    return (now - before) / (best - before)


def product_error(healed: float, utility: float, examples: int, tested: int) -> float:
    """Standard error of healed × utility, shares of ``examples`` and of ``tested`` test examples, to first order."""
    spread = utility**2 * healed * (1 - healed) / examples + healed**2 * utility * (1 - utility) / tested
    return math.sqrt(spread)


@register
class RecoveredShare(Metric):
    name, label = "recovered", "Recovered share"
    formula = (
        "(h − h₀) / (h* − h₀) with h healed × utility, h₀ the original's and h* the oracle's: 0 nothing, 1 as good as knowing "
        "every wrong label, negative: harm; no value where h* lies less than two standard errors above h₀"
    )
    direction, split = "higher", "corrupted training examples and clean test data"
    compares_with = ("original", "oracle_retrain")

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        before, oracle = evidence.of("original"), evidence.of("oracle_retrain")
        now = HealedTimesUtility.compute(evidence)
        if before is None or oracle is None or now is None:
            return None
        (start, low), (best, high) = _with_error(before), _with_error(oracle)
        return None if best - start < ERRORS * math.hypot(low, high) or best <= start else recovered(now, start, best)


def _with_error(evidence: Evidence) -> tuple[float, float]:
    healed, utility = Healed.compute(evidence) or 0.0, Utility.compute(evidence) or 0.0
    examples, tested = len(evidence.corrupted.truth.corrupted), len(evidence.corrupted.test)
    return healed * utility, product_error(healed, utility, examples, tested)
