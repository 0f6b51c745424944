"""The same image more than once: exactly, or nearly so, within the training images and on both sides of the split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unlearn_core.datasets.files import twins
from unlearn_core.discovery.health.findings import Finding

_HASHES = (
    f"perceptual hashes (imagehash, 64 bits) that differ in at most {twins.MOST_BITS} bits, and grey pixels that correlate by "
    f"{twins.LEAST_CORRELATION} or more"
)
SETS = "set of copies"
"""What the values of a finding about copies are: sets are numbered."""
_PIXELS = "the same pixels at the size that is trained on"


@dataclass(frozen=True)
class Copies:
    """Sets of images that are alike. ``exact`` and ``near`` int64 (N,): the lowest row of each row's set, training images first
    (rows below ``trained``), then test images; ``near`` joins what is exactly alike as well, and is None where near copies
    cannot be told: ``why``."""

    exact: np.ndarray
    near: np.ndarray | None
    trained: int
    why: str = ""


def find_copies(pixels: np.ndarray, labels: np.ndarray, trained: int, hashes: np.ndarray | None = None) -> Copies:
    """Sets of copies among uint8 (N, C, H, W), the first ``trained`` of them training images, with ``labels`` (N,) as given.

    ``hashes`` uint64 (N,), if they are known already. Near copies are not told where images are too small for a hash, or so
    much alike that pairs are of different classes about as often as chance has it.
    """
    exact = twins.groups_of(pixels)
    if pixels.shape[-1] < twins.LEAST_SIDE:
        return Copies(exact, None, trained, f"images below {twins.LEAST_SIDE} pixels have no perceptual hash")
    hashes = np.array([twins.hash_of(image) for image in pixels], np.uint64) if hashes is None else hashes
    if not hashes.any():
        return Copies(exact, None, trained, "no image has enough in it for a perceptual hash")
    pairs = twins.alike_pairs(hashes, pixels, exact)
    if twins.are_torn(pairs, labels):
        return Copies(exact, None, trained, "these images are too much alike for a hash to tell copies from other images")
    return Copies(exact, _joined(exact, pairs), trained)


def _joined(sets: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The lowest row of each row's set once the rows of every pair belong together."""
    parent = sets.copy()

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    for one, other in pairs:
        a, b = root(int(one)), root(int(other))
        parent[max(a, b)] = min(a, b)
    return np.array([root(row) for row in range(len(parent))], np.int64)


def describe_copies(copies: Copies, labels: np.ndarray) -> list[Finding]:
    """Copies with one label, copies that disagree about it, and training images that are test images as well; ``labels`` (N,)
    as given, of training and test images."""
    train = labels[: copies.trained]
    exact = copies.exact[: copies.trained]
    found = [_copies("exact_copies", "Exact copies", exact, _PIXELS)]
    widest, rule = (exact, _PIXELS) if copies.near is None else (copies.near[: copies.trained], f"{_PIXELS}, or {_HASHES}")
    if copies.near is not None:
        found.append(_copies("near_copies", "Near copies", np.where(_repeated(exact), np.arange(len(exact)), widest), _HASHES))
    found += [_torn(widest, train, rule), _shared(copies, rule)]
    return [one for one in found if one is not None]


def _repeated(sets: np.ndarray) -> np.ndarray:
    """bool (N,): whether a row has company in its set."""
    _, inverse, counts = np.unique(sets, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] > 1)


def _in_sets(sets: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """These rows with those of one set beside each other, and the number of each one's set, from 1."""
    members = rows[np.argsort(sets[rows], kind="stable")]
    _, number = np.unique(sets[members], return_inverse=True)
    return members, (number + 1).astype(float)


def _copies(name: str, title: str, sets: np.ndarray, rule: str) -> Finding | None:
    members, number = _in_sets(sets, _repeated(sets).nonzero()[0])
    if not len(members):
        return None
    count = int(number.max())
    sentence = (
        f"{len(members):,} training images in {count:,} set{'s' if count != 1 else ''} of copies: {len(members) - count:,} of "
        "them repeat another one, which counts double in training."
    )
    return Finding(name, "image", title, sentence, rule, members, number, SETS)


def _torn(sets: np.ndarray, labels: np.ndarray, rule: str) -> Finding | None:
    """Copies that carry different labels: at least one of them is wrong."""
    order = np.argsort(sets, kind="stable")
    starts = np.flatnonzero(np.diff(sets[order], prepend=-1))
    torn = np.minimum.reduceat(labels[order], starts) != np.maximum.reduceat(labels[order], starts)
    rows = np.isin(sets, sets[order][starts[torn]]).nonzero()[0]
    members, number = _in_sets(sets, rows)
    if not len(members):
        return None
    count = int(number.max())
    sentence = (
        f"{len(members):,} training images in {count:,} set{'s' if count != 1 else ''} of copies carry different labels: "
        "in every set at least one label is wrong."
    )
    return Finding("torn_copies", "image", "Copies that disagree", sentence, rule, members, number, SETS)


def _shared(copies: Copies, rule: str) -> Finding | None:
    """Training images that are test images as well."""
    sets = copies.exact if copies.near is None else copies.near
    train, test = sets[: copies.trained], sets[copies.trained :]
    members, number = _in_sets(train, np.isin(train, test).nonzero()[0])
    if not len(members):
        return None
    tested = int(np.isin(test, train).sum())
    sentence = (
        f"{tested:,} of {len(test):,} test images {'is' if tested == 1 else 'are'} also among the training images "
        f"({len(members):,} of them): the test says too much."
    )
    return Finding("shared_copies", "data set", "In training and test", sentence, rule, members, number, SETS, tested)
