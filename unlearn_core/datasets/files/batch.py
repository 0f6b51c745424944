"""All chosen pictures of a collection decoded, and what the two sides of a split share; what costs time is remembered."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from unlearn_core.datasets.files import cache, twins
from unlearn_core.datasets.files.decode import Ranges, Unreadable, decode
from unlearn_core.datasets.files.listing import Collection
from unlearn_core.support.deferring import tell

Decoded = tuple[np.ndarray, np.ndarray, list[str], list[set[str]]]


def decode_all(collection: Collection, ids: np.ndarray, size: int, channels: int, ranges: Ranges) -> Decoded:
    """Pictures ``ids`` of a collection: uint8 (N, C, H, W), perceptual hashes uint64 (N,), per picture why it cannot be used
    ("" if it can), and what was done to it. How far it is, :func:`tell` says."""
    pixels = np.empty((len(ids), channels, size, size), np.uint8)
    done: list[set[str]] = [set() for _ in ids]

    def one(row: int) -> str:
        try:
            pixels[row] = decode(collection.picture(int(ids[row])), size, channels, ranges, done[row])
        except Unreadable as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        reasons = []
        for row, reason in enumerate(pool.map(one, range(len(ids)))):  # one that is broken off takes no more images
            tell(row, len(ids))
            reasons.append(reason)
    # Not in the pool: hashing holds Python's lock, and threads that wait for it cost as much again as the hashes themselves.
    hashes = np.array([0 if reason else twins.hash_of(image) for image, reason in zip(pixels, reasons, strict=True)], np.uint64)
    return pixels, hashes, reasons, done


def describe_shared_images(
    arrays: Mapping[str, np.ndarray], names: Sequence[str], train: np.ndarray, test: np.ndarray, key: str
) -> list[str]:
    """What the test images (rows) share with the training images, in sentences; searched once for each ``key``."""
    if "groups" not in arrays:  # decoded by the first revision
        return []
    note = "shared-" + hashlib.sha256(f"{key} {len(train)}".encode()).hexdigest()[:32]
    stored = cache.read_note(note)
    if stored is not None and isinstance(stored.get("said"), list):
        return [str(sentence) for sentence in stored["said"]]
    found = twins.describe_shared(arrays["groups"], names, train, test)
    found += twins.describe_near(arrays["hashes"], arrays["groups"], arrays["pixels"], names, arrays["labels"], train, test)
    cache.write_note(note, {"said": found})
    return found
