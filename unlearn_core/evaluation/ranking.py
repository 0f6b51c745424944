"""How well a score tells two groups apart: area under the ROC curve, recognition at few false alarms, the best threshold."""

from __future__ import annotations

import numpy as np


def auc(known: np.ndarray, unknown: np.ndarray) -> float:
    """P[score of ``known`` (n,) > score of ``unknown`` (m,)] + ½ P[equal]: the area under the ROC curve."""
    ordered = np.sort(unknown)
    below, not_above = (np.searchsorted(ordered, known, side=side) for side in ("left", "right"))
    return float((below + not_above).mean() / (2 * len(unknown)))


def share_recognised(known: np.ndarray, unknown: np.ndarray, false_positives: float = 0.01) -> float:
    """Share of ``known`` (n,) strictly above a score that at most this share of ``unknown`` (m,) exceeds."""
    return float((known > np.quantile(unknown, 1 - false_positives, method="higher")).mean())


def best_threshold(members: np.ndarray, strangers: np.ndarray) -> float:
    """The value t that maximises ½(P[member ≥ t] + P[stranger < t])."""
    candidates = np.unique(np.concatenate([members, strangers]))
    above = 1 - np.searchsorted(np.sort(members), candidates, side="left") / len(members)
    below = np.searchsorted(np.sort(strangers), candidates, side="left") / len(strangers)
    return float(candidates[np.argmax(above + below)])
