"""Areas under the ROC curve, example by example, and how probable they are by chance."""

from __future__ import annotations

import math

import numpy as np


def per_example_auc(positive: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """For every score the share of ``pool`` (n, S) that lies below each of ``positive`` (m, S), ties counting half: (m, S).

    Its mean over positives is the area under the ROC curve.
    """
    columns = []
    for k in range(pool.shape[1]):
        ordered = np.sort(pool[:, k])
        below = np.searchsorted(ordered, positive[:, k], side="left")
        above = np.searchsorted(ordered, positive[:, k], side="right")
        columns.append((below + above) / (2 * len(ordered)))
    return np.stack(columns, axis=1)


def p_value(area: float, positives: int, pool: int) -> float:
    """Probability of an area at least so high if the positives were picked at random (Mann–Whitney, normal approximation)."""
    deviation = math.sqrt((positives + pool + 1) / (12 * positives * pool))
    return 0.5 * math.erfc((area - 0.5) / deviation / math.sqrt(2))
