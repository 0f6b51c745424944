"""Divergence of margins from oracles (KLoM): do unlearned models answer each example as models that never saw it would?

Georgiev et al. 2025, arXiv:2410.23232: for every example the margins (log-odds of its label) of M unlearned models, trained
with different seeds, against those of M oracles. The paper takes M = 100 and histograms; with fewer, normals are fitted, and
with the usual three the distance of the means is all that can be told.
"""

from __future__ import annotations

import numpy as np

CLIP, EMPTY = 100.0, 1e-5
BINS = 20
LEAST_NORMAL, LEAST_BINNED = 4, 30
"""Models on either side from which on normals are fitted, and from which on histograms are made."""
FLOOR = 0.1
"""Smallest deviation of a fitted normal."""


def margin_gap(unlearned: np.ndarray, oracle: np.ndarray) -> np.ndarray:
    """|mean − mean| of each example's margins: float64 (n,) from two arrays (M, n)."""
    return np.asarray(np.abs(unlearned.mean(0) - oracle.mean(0)))


def normal_divergence(mean_u: np.ndarray, std_u: np.ndarray, mean_o: np.ndarray, std_o: np.ndarray) -> np.ndarray:
    """KL(unlearned ‖ oracle) of normals, element by element; deviations are at least :data:`FLOOR`."""
    u, o = np.maximum(std_u, FLOOR), np.maximum(std_o, FLOOR)
    return np.asarray(np.log(o / u) + (u**2 + (mean_u - mean_o) ** 2) / (2 * o**2) - 0.5)


def binned_divergence(unlearned: np.ndarray, oracle: np.ndarray, bins: int = BINS) -> float:
    """KL(unlearned ‖ oracle) of the histograms of one example's margins (M,), equal bins over the range of both.

    The largest value belongs to the last bin; an empty bin of the oracle's counts as :data:`EMPTY`. The published program has
    the arguments the other way round and drops the largest value.
    """
    both = np.clip(np.concatenate([unlearned, oracle]), -CLIP, CLIP)
    if both.min() == both.max():
        return 0.0
    counts = [np.histogram(np.clip(v, -CLIP, CLIP), bins, (both.min(), both.max()))[0] / len(v) for v in (unlearned, oracle)]
    p, q = counts[0], np.where(counts[1] > 0, counts[1], EMPTY)
    filled = p > 0
    return float((p[filled] * np.log(p[filled] / q[filled])).sum())


def divergence(unlearned: np.ndarray, oracle: np.ndarray) -> np.ndarray | None:
    """KL(unlearned ‖ oracle) of each example's margins: float64 (n,) from two arrays (M, n), by histograms where M suffices,
    else by normals; None where M does not suffice for these."""
    models = min(len(unlearned), len(oracle))
    if models < LEAST_NORMAL:
        return None
    if models < LEAST_BINNED:
        return normal_divergence(unlearned.mean(0), unlearned.std(0, ddof=1), oracle.mean(0), oracle.std(0, ddof=1))
    return np.array([binned_divergence(u, o) for u, o in zip(unlearned.T, oracle.T, strict=True)])
