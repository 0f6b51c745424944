"""Outliers in a network's feature space: examples that nothing else is like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unlearn_core.discovery.health.findings import Finding
from unlearn_core.discovery.health.odd import FAR, robust_scores

NEIGHBOURS = 10
"""As in the paper."""
FACTOR = 2.0
"""An outlier is at least so many times as far from its neighbours as the example in the middle."""
_ROWS = 1024
RULE = (
    f"mean distance to its {NEIGHBOURS} nearest neighbours in the original network's features (Kuan and Mueller 2022): "
    f"{FACTOR:g} times the median (of our own), and a robust z-score of its logarithm above {FAR:g} (Iglewicz and Hoaglin 1993)"
)


def neighbour_distances(features: np.ndarray, step: Callable[[int, int], None] | None = None) -> np.ndarray:
    """float64 (N,): mean Euclidean distance of each row of ``features`` (N, D) to its nearest other rows; ``step(done, total)``
    is told how far it is.

    Kuan and Mueller 2022, "Back to the basics: revisiting out-of-distribution detection baselines", arXiv:2207.03061.
    """
    import torch

    points = torch.from_numpy(np.ascontiguousarray(features)).float()
    count = min(NEIGHBOURS, len(points) - 1)
    if count < 1:
        return np.zeros(len(points))
    found = []
    for ids in torch.split(torch.arange(len(points)), _ROWS):
        if step is not None:
            step(int(ids[0]), len(points))
        distance = torch.cdist(points[ids], points)
        distance[torch.arange(len(ids)), ids] = torch.inf
        found.append(distance.topk(count, largest=False).values.mean(1))
    return torch.cat(found).double().numpy()


def find_remote(distances: np.ndarray) -> Finding | None:
    """Outliers by their distance (N,) to the nearest others; None where there are none."""
    middle = float(np.median(distances))
    scores = robust_scores(np.log2(np.maximum(distances, 1e-9)))
    members = ((distances > FACTOR * middle) & (scores > FAR)).nonzero()[0]
    if not len(members):
        return None
    members = members[np.argsort(-distances[members], kind="stable")]
    values = distances[members] / middle
    sentence = f"{len(members):,} of {len(distances):,} training examples lie far from all others."
    return Finding("outliers", "image", "Outliers", sentence, RULE, members, values, "distance, the median is 1")
