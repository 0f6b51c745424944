"""A second look at the scores together: logistic regression on the known corruption and on what the pool probably is.

A weighted mean can't tell a score that says something new from one that repeats the others, and where two kinds of
corruption are mixed, scores that see only the commoner kind drown the other. The first ranking's probabilities serve as
soft labels of the pool (expectation–maximisation, stopped after one step: further steps believe themselves more and more).
"""

from __future__ import annotations

import numpy as np

from unlearn_core.discovery.mixture import bins_of, fit_mixture

KNOWN_WEIGHT = 20.0
RIDGE = 10.0
"""A known example counts as so many of the pool; the penalty on the coefficients, for scores of standard deviation 1. Both
were found on development seeds, and matter little."""
_STEPS, _ENOUGH = 30, 1e-6


def refine_ranking(values: np.ndarray, fused: np.ndarray, known: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """The refined ranking (N,), on the scale of ``fused`` (N,); ``values`` (N, S); ``known`` and ``pool`` bool (N,).

    Each known example is scored by a regression that did not see it, so that its rank is that of an unknown one.
    """
    scaled = values / np.maximum(values[pool].std(0), 1e-9)
    probability = fit_mixture(*bins_of(fused[pool], fused[known]), fused[known])(fused)
    used = known | pool
    target = np.where(known, 1.0, probability)[used]
    weight = np.where(known, KNOWN_WEIGHT, 1.0)[used]
    inputs = np.column_stack([np.ones(used.sum()), scaled[used]])
    start = _fit(inputs, target, weight, np.zeros(inputs.shape[1]))
    ranking = np.full(len(fused), np.nan)
    ranking[used] = inputs[:, 1:] @ start[1:]
    for place in known[used].nonzero()[0]:
        without = weight.copy()
        without[place] = 0.0
        ranking[used.nonzero()[0][place]] = inputs[place, 1:] @ _fit(inputs, target, without, start)[1:]
    scaled_ranking: np.ndarray = ranking * (fused[pool].std() / max(ranking[pool].std(), 1e-9))
    return scaled_ranking


def _fit(inputs: np.ndarray, target: np.ndarray, weight: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Coefficients (1 + S,) of ridge logistic regression with soft targets, by Newton's method with halved steps."""
    ridge = np.full(inputs.shape[1], RIDGE)
    ridge[0] = 1e-3  # the intercept is free

    def loss(coefficients: np.ndarray) -> float:
        logit = inputs @ coefficients
        return float(weight @ (np.logaddexp(0, logit) - target * logit) + 0.5 * ridge @ coefficients**2)

    current, value = start, loss(start)
    for _ in range(_STEPS):
        share = 0.5 * (1 + np.tanh(0.5 * (inputs @ current)))
        gradient = inputs.T @ (weight * (share - target)) + ridge * current
        curvature = (inputs * (weight * share * (1 - share))[:, None]).T @ inputs + np.diag(ridge)
        step, size = np.linalg.solve(curvature, gradient), 1.0
        while size > 1e-4 and loss(current - size * step) > value:
            size /= 2
        before, proposed = value, current - size * step
        if (value := loss(proposed)) >= before - _ENOUGH * abs(before):
            return proposed if value < before else current
        current = proposed
    return current
