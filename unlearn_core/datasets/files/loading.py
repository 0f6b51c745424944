"""From a path and parameters to a :class:`Split`: what is wanted of the files, decoded once, cached by content."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from unlearn_core.datasets.base import LabelledData, Split
from unlearn_core.datasets.files import cache
from unlearn_core.datasets.files.batch import describe_shared_images
from unlearn_core.datasets.files.decoding import FIRST_REVISION, Wanted, decode_wanted
from unlearn_core.datasets.files.listed import describe_moved, make_roster, move_listed, read_numbers
from unlearn_core.datasets.files.listing import Collection, Listing
from unlearn_core.datasets.files.names import some
from unlearn_core.datasets.files.sampling import choose
from unlearn_core.errors import UserError
from unlearn_core.support.deferring import check_here


def load(wanted: Wanted, seed: int, collection: Callable[[], Collection]) -> Split:
    """Training and test images, from the cache where they have been decoded before: the files are then not looked at.

    Raises :class:`UserError` when the files are no longer what ``wanted`` was made from, or when too few can be read.
    """
    key = wanted.key(seed)
    arrays = cache.read(key)
    if arrays is None:
        check_here(key)
        with cache.lock_key(key):
            arrays = cache.read(key)  # another process may have decoded them meanwhile
            if arrays is None:
                try:
                    arrays = decode_wanted(collection(), wanted, seed)
                except UserError:
                    # The files are gone, or are read otherwise by now: what was decoded from them then is still right.
                    # A list's positions count the images in another order than then.
                    arrays = None if wanted.listed else cache.read(wanted.key(seed, FIRST_REVISION))
                    if arrays is None:
                        raise
                else:
                    cache.write(key, arrays)
    return _split(arrays, wanted, seed)


def _split(arrays: dict[str, np.ndarray], wanted: Wanted, seed: int) -> Split:
    """The halves of decoded images (arrays of :func:`decode_wanted`), with all that is to be said of them."""
    about: dict[str, Any] = json.loads(arrays["about"].tobytes().decode())
    if "ids" not in arrays:  # decoded before other images than those in use were listed
        same = {"ids": np.arange(len(arrays["labels"])), "bad": np.arange(0), "all_labels": arrays["labels"]}
        arrays = arrays | same | {"all_splits": arrays["splits"]}
    names, class_names, ids = tuple(about["names"]), tuple(about["class_names"]), arrays["ids"]
    listing = Listing(tuple(names[k] for k in ids), arrays["labels"], arrays["splits"], class_names)
    train, test = choose(listing, 0, 0, wanted.test_share, seed)
    listed = read_numbers(wanted.listed, len(names))
    train, test = move_listed(train, test, arrays["all_splits"][ids], np.flatnonzero(np.isin(ids, listed)))
    moved = describe_moved(arrays["all_splits"], listed, len(test))
    present = len(np.unique(listing.labels[train]))
    if present < 2 or not len(test):
        raise UserError(
            f"Of the images {len(train)} for training (of {present} classes) and {len(test)} for testing can be read; "
            f"that is too few. " + (about["problems"] or [""])[0]
        )
    pixels, labels = torch.from_numpy(arrays["pixels"]), torch.from_numpy(arrays["labels"])
    halves = [LabelledData(_take(pixels, rows), labels[rows], class_names) for rows in map(torch.from_numpy, (train, test))]
    clean = torch.from_numpy(arrays["clean"])[train] if "clean" in arrays else None
    note = _note(about, wanted, len(train), len(test), class_names) + moved
    problems = (
        *about["problems"],
        *describe_shared_images(arrays, listing.names, train, test, f"{wanted.key(seed)}-{seed}-{wanted.listed}"),
        *_untested(listing.labels[train], listing.labels[test], class_names),
    )
    everything = names, arrays["all_labels"], arrays["all_splits"], arrays["bad"]
    roster = make_roster(*everything, ids[train], ids[test], about.get("numbering", ""))
    trained = tuple(listing.names[k] for k in train)
    return Split(halves[0], halves[1], trained, clean, note, problems, about.get("preprocessing", {}), roster)


def _untested(train: np.ndarray, test: np.ndarray, class_names: Sequence[str]) -> list[str]:
    """One sentence for classes that are learnt and never tested."""
    missing = [class_names[k] for k in np.setdiff1d(train, test)]
    its = "its accuracy is" if len(missing) == 1 else "their accuracy is"
    has = "has" if len(missing) == 1 else "have"
    return [f"{some(missing)} {has} no test images here, so {its} not measured."] if missing else []


def _take(pixels: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """These rows; without a copy where they lie next to each other, as the halves of a folder do."""
    if len(ids) and int(ids[-1]) - int(ids[0]) == len(ids) - 1:
        return pixels[int(ids[0]) : int(ids[-1]) + 1]
    return pixels[ids]


def _note(about: dict[str, list[int]], wanted: Wanted, train: int, test: int, class_names: tuple[str, ...]) -> str:
    """One sentence that says what was taken of how much."""
    kind = "colour" if wanted.channels == 3 else "grey"
    given, tested = about["of"]
    if tested:
        counts = f"{train:,} of {given:,} training images and {test:,} of {tested:,} test images"
    else:
        counts = f"{train:,} training and {test:,} test images, split by the seed from {given:,}"
    shown = f"{counts} of {len(class_names)} classes, {wanted.size}×{wanted.size} pixels, {kind}"
    return shown + (" (a subsample that keeps the share of every class)." if wanted.limit or wanted.test_limit else ".")
