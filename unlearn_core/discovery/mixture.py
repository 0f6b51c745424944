"""How probable is it that an example is corrupted, given its fused score? A mixture in which the known corruption is labelled.

The pool (everything outside the forget set) is a mixture of clean examples and undiscovered corruption; the known
corruption, scored while held out, is a sample of the second part. Both are fitted together by expectation–maximisation
(Dempster, Laird & Rubin 1977), above the pool's mode, which clean examples decide. Clean examples are a mixture of
half-normals that starts there: their density can only fall, so a second hump is never taken for clean. A few of them are
so hard that they may score anything: a share of their density falls straight to the highest score. Corrupted examples
are a normal with two widths, since hard cases trail behind. Unlike an estimate from the known examples alone, this uses
the gap that the pool itself shows between the two groups, which matters when nine examples are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 256
KNOWN_WEIGHT = 4.0
"""A known example counts as so many pool examples: there are few of them, and they are certain."""
PRIOR_SPREAD, PRIOR_COUNT = 0.3, 20.0
"""The corrupted part's widths (in units of the fused score) lean to this, as if from so many examples: nine known
examples would let it swallow the clean tail. Found on development seeds, together with the number above."""
HARD = 0.005
"""Share of clean examples that may score anything; without it all that lies between the two groups would be called corrupted
for certain. The smallest share that made the estimated precision unbiased on development seeds."""
_SMOOTH = 7
_STARTS = np.array([0.8, 1.5])
_STEPS = 100
_TINY = 1e-300
_HALF = (2 / np.pi) ** 0.5


@dataclass(frozen=True)
class Mixture:
    """``edges`` (BINS + 1,) and ``probability`` (BINS,): that an example whose fused score falls in a bin is corrupted."""

    edges: np.ndarray
    probability: np.ndarray

    def __call__(self, fused: np.ndarray) -> np.ndarray:
        """Probability (n,) for fused scores (n,); never falls as the score rises."""
        probability: np.ndarray = self.probability[_bin(fused, self.edges)]
        return probability


def _bin(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


def bins_of(pool: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges (BINS + 1,) that cover pool and known, and the pool's counts (BINS,)."""
    both = np.concatenate([pool, known])
    edges = np.linspace(both.min(), both.max() + 1e-9, BINS + 1)
    return edges, np.bincount(_bin(pool, edges), minlength=BINS).astype(float)


def fit_mixture(edges: np.ndarray, counts: np.ndarray, known: np.ndarray, weights: np.ndarray | None = None) -> Mixture:
    """Fit to the binned pool and to the held-out scores of the known corruption (m,), with ``weights`` (m,) for a bootstrap.

    Below the pool's mode the probability is 0: suspicion only rises with the score.
    """
    centres = (edges[:-1] + edges[1:]) / 2
    mode = int(np.convolve(counts, np.ones(_SMOOTH), "same").argmax())
    y, pool = centres[mode:] - centres[mode], counts[mode:]
    certain = np.zeros(len(y))
    bins = np.maximum(_bin(known, edges) - mode, 0)
    np.add.at(certain, bins, KNOWN_WEIGHT * (np.ones(len(known)) if weights is None else weights))

    half = y[np.searchsorted(np.cumsum(pool), 0.5 * pool.sum())]
    body = max(half / 0.6745, 1e-3)  # half of a half-normal lies below 0.6745 of its width
    widths = body * _STARTS
    centre, left, right = float(y @ certain / certain.sum()), PRIOR_SPREAD, PRIOR_SPREAD
    share = np.array([0.65, 0.3, HARD, 0.05])
    for _ in range(_STEPS):
        parts = share[:, None] * _densities(y, widths, centre, left, right)
        mass = parts / (parts.sum(0) + _TINY) * pool
        sums = mass.sum(1)
        share = (1 - HARD) * sums / (sums.sum() - sums[2])
        share[2] = HARD
        widths = np.maximum(np.sqrt(mass[:2] @ y**2 / np.maximum(sums[:2], 1e-9)), 0.3 * body)
        centre, left, right = _two_widths(y, mass[-1] + certain)
    parts = share[:, None] * _densities(y, widths, centre, left, right)
    probability = np.zeros(len(centres))
    probability[mode:] = np.maximum.accumulate(parts[-1] / (parts.sum(0) + _TINY))
    return Mixture(edges, probability)


def _densities(y: np.ndarray, widths: np.ndarray, centre: float, left: float, right: float) -> np.ndarray:
    """Densities (4, n): two half-normals from 0, the straight fall of the hard ones, the normal with two widths."""
    clean = np.exp(-0.5 * (y / widths[:, None]) ** 2) / widths[:, None]
    corrupted = np.exp(-0.5 * ((y - centre) / np.where(y < centre, left, right)) ** 2) / (left + right)
    hard = 2 * (1 - y / (1.05 * y[-1])) / (1.05 * y[-1])
    return np.vstack([_HALF * clean, hard[None], _HALF * corrupted])


def _two_widths(y: np.ndarray, weight: np.ndarray) -> tuple[float, float, float]:
    """Centre and the two widths of the likeliest two-piece normal (John 1982), with the prior on its widths.

    For a given centre with sums of squares L below and R above, the likelihood is largest where ∛L + ∛R is least, at widths
    whose squares are ∛L²·(∛L + ∛R) / n and ∛R²·(∛L + ∛R) / n.
    """
    zeroth, first, second = np.cumsum(weight), np.cumsum(weight * y), np.cumsum(weight * y**2)
    below = second - 2 * y * first + y**2 * zeroth
    above = (second[-1] - second) - 2 * y * (first[-1] - first) + y**2 * (zeroth[-1] - zeroth)
    prior = PRIOR_COUNT * PRIOR_SPREAD**2 / 2
    low, high = np.cbrt(np.maximum(below, 0) + prior), np.cbrt(np.maximum(above, 0) + prior)
    best = int((low + high).argmin())
    scale = (low[best] + high[best]) / (zeroth[-1] + PRIOR_COUNT)
    return float(y[best]), float(low[best] * scale**0.5), float(high[best] * scale**0.5)
