"""How probable is it that an example is corrupted, given its fused score? A mixture in which the known corruption is labelled.

The pool (everything outside the forget set) is a mixture of clean examples and undiscovered corruption; the known
corruption, scored while held out, is a sample of the second part. Clean examples are given three normal components (a
body and a tail of ambiguous ones), corruption one, and all are fitted together by expectation–maximisation
(Dempster, Laird & Rubin 1977). Unlike an estimate from the known examples alone this also uses the gap that the pool
itself shows between the two groups, which matters when nine examples are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 512
CLEAN_PARTS = 3
KNOWN_WEIGHT = 4.0
"""A known example counts as so many pool examples: there are few of them, and they are certain."""
PRIOR_SPREAD, PRIOR_COUNT = 0.3, 20.0
"""The corrupted part's standard deviation (in units of the fused score) leans to this, as if from so many examples: nine
known examples would let it swallow the clean tail. Found on development seeds, together with the two numbers above."""
_STARTS = ((0.4, 0.65, 0.9), (0.3, 0.7, 0.97), (0.4, 0.85, 0.94))
"""Quantiles of the pool at which the clean parts start; the likeliest outcome is kept."""
_STEPS = 100


@dataclass(frozen=True)
class Mixture:
    """``edges`` (BINS + 1,) and ``probability`` (BINS,): that an example whose fused score falls in a bin is corrupted."""

    edges: np.ndarray
    probability: np.ndarray

    def __call__(self, fused: np.ndarray) -> np.ndarray:
        """Probability (n,) for fused scores (n,); never falls as the score rises."""
        return self.probability[_bin(fused, self.edges)]


def _bin(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


def bins_of(pool: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges (BINS + 1,) that cover pool and known, and the pool's counts (BINS,)."""
    both = np.concatenate([pool, known])
    edges = np.linspace(both.min(), both.max() + 1e-9, BINS + 1)
    return edges, np.bincount(_bin(pool, edges), minlength=BINS).astype(float)


def fit_mixture(edges: np.ndarray, counts: np.ndarray, known: np.ndarray, weights: np.ndarray | None = None) -> Mixture:
    """Fit to the binned pool and to the held-out scores of the known corruption (m,), with ``weights`` (m,) for a bootstrap."""
    x = (edges[:-1] + edges[1:]) / 2
    certain = KNOWN_WEIGHT * (np.ones(len(known)) if weights is None else weights)
    share = np.cumsum(counts) / counts.sum()
    quantile = [x[min(np.searchsorted(share, q), BINS - 1)] for q in (0.25, 0.5, 0.75)]
    body = max((quantile[2] - quantile[0]) / 1.349, 1e-3)
    fits = [_climb(x, counts, known, certain, body, [x[np.searchsorted(share, q)] for q in start]) for start in _STARTS]
    _, mean, deviation, weight = max(fits, key=lambda fit: fit[0])
    probability = _membership(x, mean, deviation, weight)[-1]
    # Far below the clean body a wide corrupted part would outweigh it again: suspicion only rises with the score.
    probability[x < quantile[1]] = 0.0
    return Mixture(edges, np.maximum.accumulate(probability))


def _climb(
    x: np.ndarray, counts: np.ndarray, known: np.ndarray, certain: np.ndarray, body: float, start: list[float]
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Expectation–maximisation from clean means at ``start``: weighted log-likelihood, means, deviations, weights."""
    mean = np.array([*start, np.mean(known)])
    deviation = np.array([*[body] * CLEAN_PARTS, PRIOR_SPREAD])
    weight = np.array([*[0.95 / CLEAN_PARTS] * CLEAN_PARTS, 0.05])
    total, clean = counts.sum(), slice(0, CLEAN_PARTS)
    for _ in range(_STEPS):
        mass = _membership(x, mean, deviation, weight) * counts
        sums = mass.sum(1)
        weight = (sums + 1) / (total + len(sums))
        mean[clean] = (mass[clean] @ x) / np.maximum(sums[clean], 1e-9)
        squares = (mass[clean] * (x - mean[clean, None]) ** 2).sum(1) / np.maximum(sums[clean], 1e-9)
        deviation[clean] = np.maximum(np.sqrt(squares), 0.3 * body)
        evidence = sums[-1] + certain.sum()
        mean[-1] = (mass[-1] @ x + certain @ known) / evidence
        squares = mass[-1] @ (x - mean[-1]) ** 2 + certain @ (known - mean[-1]) ** 2
        deviation[-1] = np.sqrt((squares + PRIOR_COUNT * PRIOR_SPREAD**2) / (evidence + PRIOR_COUNT))
    pool = np.logaddexp.reduce(_log_density(x, mean, deviation, weight), axis=0) @ counts
    prior = -PRIOR_COUNT * (np.log(deviation[-1]) + 0.5 * (PRIOR_SPREAD / deviation[-1]) ** 2)
    labelled = certain @ _log_density(known, mean[-1:], deviation[-1:], np.ones(1))[0]
    return float(pool + labelled + prior), mean, deviation, weight


def _log_density(x: np.ndarray, mean: np.ndarray, deviation: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Log (parts, n) of each weighted normal part, up to a constant."""
    return np.log(weight / deviation)[:, None] - 0.5 * ((x - mean[:, None]) / deviation[:, None]) ** 2


def _membership(x: np.ndarray, mean: np.ndarray, deviation: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Share (parts, bins) of each part in each bin."""
    logs = _log_density(x, mean, deviation, weight)
    logs -= logs.max(0)
    shares = np.exp(logs)
    return shares / shares.sum(0)
