"""The same picture twice: exactly alike, or nearly so, above all on both sides of the split, where a test measures nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from unlearn_core.datasets.files.names import some

MOST_BITS = 2
"""Of 64; how many bits two perceptual hashes may differ in."""
LEAST_CORRELATION = 0.97
"""Of the grey pixels. Of the 10,000 test images of CIFAR-10, against half of its training images, both bounds leave 9, of 397
of scikit-learn's digits at 28×28, none. A copy that was saved anew at JPEG quality 75, or resized and back, is found in all of
2,000 cases, one that is 15 % brighter in 85 %."""
LEAST_SIDE, LEAST_CONTRAST = 16, 4.0
"""Smaller or plainer pictures (standard deviation in levels of 255) have too little in them to be told apart by a hash."""
MOST_TORN = 0.5
"""Where this share of the pairs that chance would give across classes are across classes, a hash tells nothing here."""
LEAST_PAIRS = 10
"""Of fewer pairs that is not said."""
BANDS = tuple(np.uint64(((1 << bits) - 1) << at) for at, bits in ((0, 22), (22, 21), (43, 21)))
"""Two hashes that differ in at most two bits agree in one of three parts."""
_MOST_EACH = 32


def hash_of(pixels: np.ndarray) -> int:
    """Perceptual hash (Zauner 2010, the DCT hash of the package imagehash) of uint8 (C, H, W) as 64 bits; 0 where a hash means
    nothing: tiny or plain pictures."""
    if pixels.shape[-1] < LEAST_SIDE or pixels.std() < LEAST_CONTRAST:
        return 0
    try:
        import imagehash  # scipy comes with it: loaded where something is decoded
    except ImportError:  # a bare compute machine
        return 0
    from PIL import Image

    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(np.moveaxis(pixels, 0, -1)))
    return int.from_bytes(np.packbits(imagehash.phash(image).hash).tobytes(), "big")


def groups_of(pixels: np.ndarray) -> np.ndarray:
    """int64 (N,): the first row that looks exactly like each row."""
    first: dict[bytes, int] = {}
    keys = (hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in pixels)
    return np.array([first.setdefault(key, row) for row, key in enumerate(keys)], np.int64)


def describe_twins(groups: np.ndarray, names: Sequence[str], labels: np.ndarray) -> list[str]:
    """Images that look exactly like another one, and those of them that carry another label."""
    twice = np.flatnonzero(groups != np.arange(len(groups)))
    if not len(twice):
        return []
    a, b = groups[twice[0]], twice[0]
    said = [f"{len(twice):,} images look exactly like another one, for example {names[a][:80]!r} and {names[b][:80]!r}."]
    torn = twice[labels[groups[twice]] != labels[twice]]
    if len(torn):
        a, b = groups[torn[0]], torn[0]
        said.append(
            f"{len(torn):,} of them carry another label than their twin, for example {names[a][:80]!r} and {names[b][:80]!r}."
        )
    return said


def describe_shared(groups: np.ndarray, names: Sequence[str], train: np.ndarray, test: np.ndarray) -> list[str]:
    """Test images that are also training images; ``train`` and ``test`` are rows."""
    shared = test[np.isin(groups[test], groups[train])]
    if not len(shared):
        return []
    other = train[np.flatnonzero(groups[train] == groups[shared[0]])[0]]
    what = "is also a training image" if len(shared) == 1 else "are also training images"
    return [
        f"{len(shared):,} of {len(test):,} test images {what}, for example {names[shared[0]][:80]!r} and "
        f"{names[other][:80]!r}: utility means nothing for {'it' if len(shared) == 1 else 'them'}, as the model has seen the "
        "answer."
    ]


def describe_near(
    hashes: np.ndarray, groups: np.ndarray, pixels: np.ndarray, names: Sequence[str], labels: np.ndarray,
    train: np.ndarray, test: np.ndarray,
) -> list[str]:  # fmt: skip
    """Test images that are nearly the same as a training image, without those that are exactly one."""
    left = test[~np.isin(groups[test], groups[train])]
    pairs = near_pairs(hashes, pixels, train, left)
    if not len(pairs):
        return []
    differ = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    share = np.bincount(labels[train], minlength=int(labels.max()) + 1) / len(train)
    if len(pairs) >= LEAST_PAIRS and differ.mean() >= MOST_TORN * (1 - float((share**2).sum())):
        return [
            "These images are too much alike for near duplicates to be told from other images: pairs that a perceptual hash "
            f"finds between test and training images are of different classes in {differ.mean():.0%} of cases."
        ]
    row, other = pairs[0]
    what = f"{'is' if len(pairs) == 1 else 'are'} nearly the same as a training image"
    torn = f"; {int(differ.sum()):,} of them with another label" if differ.any() else ""
    return [
        f"{len(pairs):,} of {len(test):,} test images {what} (perceptual hashes differ in at most {MOST_BITS} of 64 bits and "
        f"pixels correlate by {LEAST_CORRELATION} or more), for example {some([names[row]])} and {some([names[other]])}{torn}: "
        f"utility says little for {'it' if len(pairs) == 1 else 'them'}."
    ]


def near_pairs(hashes: np.ndarray, pixels: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """int64 (M, 2): rows of ``test`` that have a near duplicate among the rows of ``train``, with the nearest of these."""
    train, test = train[hashes[train] != 0], test[hashes[test] != 0]
    found = np.concatenate([find_candidates(hashes[test], hashes[train], band) for band in BANDS])
    if not len(found):
        return np.empty((0, 2), np.int64)
    pairs = np.stack([test[found[:, 0]], train[found[:, 1]]], 1)
    likeness = np.concatenate([_correlations(pixels, pairs[k : k + 512]) for k in range(0, len(pairs), 512)])
    good = np.flatnonzero(likeness >= LEAST_CORRELATION)
    good = good[np.argsort(-likeness[good], kind="stable")]
    _, nearest = np.unique(pairs[good, 0], return_index=True)
    return pairs[good[nearest]]


def alike_pairs(hashes: np.ndarray, pixels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """int64 (M, 2): rows, the lower first, that are near duplicates of each other; of images that are exactly alike
    (``groups``, of :func:`groups_of`) only the first counts."""
    rows = np.flatnonzero((hashes != 0) & (groups == np.arange(len(groups))))
    found = np.concatenate([find_candidates(hashes[rows], hashes[rows], band) for band in BANDS])
    found = np.unique(rows[found[found[:, 0] < found[:, 1]]], axis=0)
    if not len(found):
        return np.empty((0, 2), np.int64)
    likeness = np.concatenate([_correlations(pixels, found[k : k + 512]) for k in range(0, len(found), 512)])
    return np.asarray(found[likeness >= LEAST_CORRELATION])


def are_torn(pairs: np.ndarray, labels: np.ndarray) -> bool:
    """Whether pairs are of different classes about as often as chance has it, so that a hash tells nothing here."""
    if len(pairs) < LEAST_PAIRS:
        return False
    share = np.bincount(labels) / len(labels)
    differ = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    return bool(differ.mean() >= MOST_TORN * (1 - float((share**2).sum())))


def find_candidates(test: np.ndarray, train: np.ndarray, band: np.uint64) -> np.ndarray:
    """Positions (test, train) of hashes that agree in this part and differ in few bits, at most a few for each test image."""
    order = np.argsort(train & band, kind="stable")
    keys = (train & band)[order]
    low, high = (np.searchsorted(keys, test & band, side) for side in ("left", "right"))
    counts = np.minimum(high - low, _MOST_EACH)
    rows = np.repeat(np.arange(len(test)), counts)
    columns = order[np.repeat(low - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())]
    near = np.bitwise_count(test[rows] ^ train[columns]) <= MOST_BITS
    return np.stack([rows[near], columns[near]], 1)


def _correlations(pixels: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Pearson's correlation of the grey pixels of each pair."""
    sides = []
    for rows in (pairs[:, 0], pairs[:, 1]):
        grey = pixels[rows].astype(np.float32).mean(1).reshape(len(rows), -1)
        grey -= grey.mean(1, keepdims=True)
        sides.append(grey / np.maximum(np.linalg.norm(grey, axis=1, keepdims=True), 1e-6))
    return np.asarray((sides[0] * sides[1]).sum(1))
