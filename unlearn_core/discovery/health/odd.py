"""Images that are odd among the others: dark, bright, empty, blurred, of another size or shape.

An image is odd where it passes a bound *and* is far from the typical image of its own set, so that a set of night photographs
is not called dark, and the lightest tenth of an ordinary one not bright.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unlearn_core.discovery.health.findings import Finding

FAR = 3.5
"""Robust z-scores beyond this are far. Iglewicz and Hoaglin 1993, "How to detect and handle outliers", who recommend it."""
_TO_SIGMA, _MEAN_TO_SIGMA = 1.4826, 1.2533
"""What makes a standard deviation of a normal distribution's median and mean absolute deviation."""


@dataclass(frozen=True)
class Rule:
    """``side``: whether the ``low`` or the ``high`` is odd; ``bound``: which value must be passed as well; ``words``: what is
    measured; ``source``: where the bound comes from; ``logarithm``: whether factors count, not differences."""

    name: str
    title: str
    measure: str
    side: Literal["low", "high", "both"]
    bound: float
    words: str
    source: str
    logarithm: bool = False


_SAME = "the default of cleanvision 0.3.7"
RULES = (
    Rule("dark", "Dark", "lightest", "low", 0.32, "99th percentile of its grey levels, 0 to 1", _SAME),
    Rule("bright", "Bright", "darkest", "high", 0.95, "1st percentile of its grey levels, 0 to 1", _SAME),
    Rule("low_information", "Low information", "information", "low", 3.57, "entropy of its grey levels in bits", _SAME),
    Rule("blurry", "Blurry", "blur", "high", 0.5, "blur effect, 0 sharp to 1 blurred", "half of its range, of our own"),
    Rule("odd_shape", "Odd shape", "shape", "low", 0.35, "shorter side over longer side", _SAME, True),
    Rule("odd_size", "Odd size", "size", "both", 2.0, "side in pixels of a square of its area", "a factor, of our own", True),
)


def robust_scores(values: np.ndarray) -> np.ndarray:
    """float64 (N,): how many robust standard deviations above the median each of (N,) values is.

    Where more than half are alike, so that the median deviation is 0, the mean deviation takes its place; 0 throughout where
    all are alike. NaN stays NaN.
    """
    away = values - np.nanmedian(values)
    sigma = _TO_SIGMA * float(np.nanmedian(np.abs(away))) or _MEAN_TO_SIGMA * float(np.nanmean(np.abs(away)))
    return np.asarray(away / sigma) if sigma > 1e-12 else np.where(np.isnan(away), np.nan, 0.0)


def bound_tells(rule: Rule, values: np.ndarray) -> bool:
    """Whether the bound says anything in this set: not where the image in the middle is beyond it already."""
    if rule.side == "both" or not np.isfinite(values).any():
        return True
    middle = float(np.nanmedian(values))
    return middle >= rule.bound if rule.side == "low" else middle <= rule.bound


def find_odd(rule: Rule, values: np.ndarray) -> Finding | None:
    """The images that are odd by a rule; ``values`` (N,), NaN where nothing was measured. None where there are none."""
    known = np.isfinite(values)
    if not known.any() or not bound_tells(rule, values):
        return None
    scores = robust_scores(np.log2(np.maximum(values, 1e-6)) if rule.logarithm else values)
    middle = float(np.nanmedian(values))
    with np.errstate(invalid="ignore"):
        odd = known & _passes(rule, values, scores, middle)
    members = odd.nonzero()[0]
    if not len(members):
        return None
    members = members[np.argsort(-np.abs(scores[members]), kind="stable")]
    sentence = f"{len(members):,} of {int(known.sum()):,} training images; the median of all is {middle:.3g}."
    return Finding(
        rule.name, "image", rule.title, sentence, rule_words(rule), members, values[members].astype(float), rule.words
    )


def _passes(rule: Rule, values: np.ndarray, scores: np.ndarray, middle: float) -> np.ndarray:
    if rule.side == "low":
        return np.asarray((values < rule.bound) & (scores < -FAR))
    if rule.side == "high":
        return np.asarray((values > rule.bound) & (scores > FAR))
    times = np.maximum(values / middle, middle / values) if middle > 0 else np.ones(len(values))
    return np.asarray((times >= rule.bound) & (np.abs(scores) > FAR))


def rule_words(rule: Rule) -> str:
    """The threshold in words."""
    far = f"and a robust z-score beyond {FAR:g} (Iglewicz and Hoaglin 1993)"
    if rule.side == "both":
        return f"{rule.words}: {rule.bound:g} times as large or as small as the median ({rule.source}), {far}"
    return f"{rule.words}: {'below' if rule.side == 'low' else 'above'} {rule.bound:g} ({rule.source}), {far}"


def find_all_odd(measures: Mapping[str, np.ndarray]) -> list[Finding]:
    """What every rule finds whose measure is there, (N,) each by its name."""
    found = (find_odd(rule, measures[rule.measure]) for rule in RULES if rule.measure in measures)
    return [one for one in found if one is not None]
