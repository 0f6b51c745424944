"""What is taken from a collection, decoded into arrays that a cache can keep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unlearn_core.datasets.files import twins
from unlearn_core.datasets.files.batch import decode_all
from unlearn_core.datasets.files.decode import REVISION
from unlearn_core.datasets.files.describe import count_marks, describe_left_out, describe_preprocessing, describe_treatment
from unlearn_core.datasets.files.facts import Facts, find_facts
from unlearn_core.datasets.files.listed import move_listed, read_numbers
from unlearn_core.datasets.files.listing import TEST, TRAIN, Collection, Listing
from unlearn_core.datasets.files.sampling import choose
from unlearn_core.errors import UserError
from unlearn_core.support.limits import limits
from unlearn_core.support.public_mode import is_public

MAX_DECODED = 2**30
"""Bytes of decoded images that one dataset may take in memory."""
ABOUT = 3
"""Raised when what is kept beside decoded images means something else."""
FIRST_REVISION = 1
"""Of decoding; what was decoded then still serves results of then."""


@dataclass(frozen=True)
class Wanted:
    """What is taken from a collection: see the parameters of the dataset ``images``."""

    content: str
    size: int
    channels: int
    limit: int
    test_limit: int
    test_share: float
    listed: str = ""

    def key(self, seed: int, revision: int = REVISION) -> str:
        """Names the decoded arrays. Where everything is taken they serve every seed, and only the split is drawn anew."""
        chosen = [self.limit, self.test_limit, self.test_share, seed] if self.limit or self.test_limit else []
        about: list[int | str] = [] if revision == FIRST_REVISION else [ABOUT]
        if chosen and self.listed:
            about.append(self.listed)
        text = json.dumps([revision, *about, self.content, self.size, self.channels, chosen])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def decode_wanted(collection: Collection, wanted: Wanted, seed: int) -> dict[str, np.ndarray]:
    """Decode what is wanted. Arrays by name, one row per image that can be read: ``pixels`` uint8 (N, C, H, W), ``labels``,
    ``splits``, ``groups`` (:func:`twins.groups_of`), ``hashes``, ``ids`` (positions in the collection), ``clean`` where true
    labels are known; of the whole collection ``all_labels``, ``all_splits`` and ``bad`` (positions of what cannot be read);
    and ``about``, JSON as bytes. Raises :class:`UserError` where the files are no longer what ``wanted`` was made from.
    """
    found = find_facts(collection)
    _check_content(collection, found, wanted)
    listing = collection.listing()
    ids, splits = _choose_images(listing, wanted, seed)
    _check_memory(len(ids), wanted)
    pixels, hashes, reasons, done = decode_all(collection, ids, wanted.size, wanted.channels, found.ranges)
    problems = describe_left_out([listing.names[k] for k in ids], reasons)
    unreadable = ids[np.array([row for row, reason in enumerate(reasons) if reason], np.int64)]
    good = np.array([row for row, reason in enumerate(reasons) if not reason], np.int64)
    if problems:
        pixels, hashes, done = pixels[good], hashes[good], [done[row] for row in good]
    ids, splits = ids[good], splits[good]
    names = [listing.names[k] for k in ids]
    groups = twins.groups_of(pixels)
    problems += describe_treatment(done, names, pixels, found.ranges)
    problems += twins.describe_twins(groups, names, listing.labels[ids])
    preprocessing = describe_preprocessing(wanted.size, wanted.channels, found.ranges, count_marks(done))
    arrays = {
        "pixels": pixels,
        "labels": listing.labels[ids],
        "splits": splits.astype(np.int8),
        "groups": groups,
        "hashes": hashes,
        "ids": ids,
        "bad": unreadable,
        "all_labels": listing.labels,
        "all_splits": listing.splits,
    }
    if listing.clean is not None:
        arrays["clean"] = listing.clean[ids]
    return arrays | {"about": _pack_about(collection, listing, problems, preprocessing)}


def _choose_images(listing: Listing, wanted: Wanted, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of what is decoded, ascending, and the half of each."""
    train, test = choose(listing, wanted.limit, wanted.test_limit, wanted.test_share, seed)
    limited = bool(wanted.limit or wanted.test_limit)
    if limited:  # else everything is decoded, and serves every list
        train, test = move_listed(train, test, listing.splits, read_numbers(wanted.listed, len(listing)))
    ids = np.sort(np.concatenate([train, test]))
    return ids, np.where(np.isin(ids, test), TEST, TRAIN) if limited else listing.splits[ids]


def _pack_about(collection: Collection, listing: Listing, problems: Sequence[str], preprocessing: dict[str, Any]) -> np.ndarray:
    about = {
        "class_names": listing.class_names,
        "problems": problems,
        "of": [int((listing.splits != TEST).sum()), int((listing.splits == TEST).sum())],
        "names": listing.names,
        "numbering": collection.numbering,
        "preprocessing": preprocessing,
    }
    return np.frombuffer(json.dumps(about).encode(), np.uint8)


def _check_memory(count: int, wanted: Wanted) -> None:
    needed = count * wanted.channels * wanted.size**2
    most = min(MAX_DECODED, limits().decoded_mb * 2**20) if is_public() else MAX_DECODED
    if needed > most:
        raise UserError(
            f"{count:,} images of {wanted.size}×{wanted.size} need {needed / 2**30:.1f} GB of memory, more than "
            f"{most / 2**30:g} GB; choose a smaller dataset.size or a dataset.limit."
        )


def _check_content(collection: Collection, found: Facts, wanted: Wanted) -> None:
    if found.content == wanted.content:
        return
    if found.files == wanted.content:
        raise UserError(
            f"The images in {str(collection.path)!r} are read otherwise since version 2 of the reader (transparency is laid on "
            "a background, and more than 8 bits get one scale); run it again."
        )
    raise UserError(f"The images in {str(collection.path)!r} have changed since this was planned; run it again.")
