"""Stratified choices by seed: which images are for testing, and which of them make a subsample."""

from __future__ import annotations

import numpy as np

from unlearn_core.datasets.files.listing import TEST, TRAIN, UNSPLIT, Listing


def choose(listing: Listing, limit: int, test_limit: int, test_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the training and of the test images, both sorted; limits of 0 take everything.

    A tree without a split gives ``test_share`` of every class to testing, at least one image where a class has two.
    """
    if (listing.splits == UNSPLIT).any():
        train, test = split(listing.labels, test_share, seed)
    else:
        train, test = np.flatnonzero(listing.splits == TRAIN), np.flatnonzero(listing.splits == TEST)
    return (
        train[subsample(listing.labels[train], limit, seed)],
        test[subsample(listing.labels[test], test_limit, seed + 1)],
    )


def split(labels: np.ndarray, test_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Train and test positions, sorted; every class keeps its share on both sides and at least one training image."""
    rng = np.random.default_rng([20_261_121, seed])
    held = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        count = max(1, round(test_share * len(members))) if len(members) > 1 else 0
        held.append(members[: min(count, len(members) - 1)])
    test = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), test), test


def subsample(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """``count`` positions, sorted, with every class in its share (largest remainder); 0 or too many takes all."""
    if count <= 0 or count >= len(labels):
        return np.arange(len(labels))
    rng = np.random.default_rng([20_261_122, seed])
    classes, sizes = np.unique(labels, return_counts=True)
    exact = sizes * (count / len(labels))
    quota = np.floor(exact).astype(np.int64)
    quota[np.argsort(quota - exact, kind="stable")[: count - quota.sum()]] += 1
    picked = [rng.permutation(np.flatnonzero(labels == label))[:taken] for label, taken in zip(classes, quota, strict=True)]
    return np.sort(np.concatenate(picked))
