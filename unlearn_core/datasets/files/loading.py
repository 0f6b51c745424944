"""From a path and parameters to a :class:`Split`: what the files hold, which are taken, decoded once, cached by content."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unlearn_core.datasets.base import LabelledData, Split
from unlearn_core.datasets.files import cache, said, twins
from unlearn_core.datasets.files import listed as moves
from unlearn_core.datasets.files.batch import decode_all, shared
from unlearn_core.datasets.files.decode import REVISION, Ranges
from unlearn_core.datasets.files.listing import TEST, TRAIN, Collection, Listing, some
from unlearn_core.datasets.files.sampling import choose
from unlearn_core.datasets.files.survey import survey
from unlearn_core.errors import UserError
from unlearn_core.support.deferring import check_here
from unlearn_core.support.typed_paths import typed_path

MAX_DECODED = 2**30
"""Bytes of decoded images that one dataset may take in memory."""
LOOK_AGAIN = 10.0
"""Seconds for which a folder counts as unchanged without being looked at."""
FACTS, ABOUT = 3, 3
"""Raised when remembered facts, or what is kept beside decoded images, mean something else."""
FIRST_REVISION = 1
"""Of decoding; what was decoded then still serves results of then."""


@dataclass(frozen=True)
class Facts:
    """What a collection holds. ``place`` is where it lies, ``content`` names it wherever it lies and as it is read now;
    ``files`` names the files alone: another one where the same files were read otherwise before. ``size`` and ``channels`` are
    sensible defaults; ``side`` is the largest shorter side in pixels: no image is enlarged up to there. ``train`` and ``test``
    count images (``test`` is 0 for a tree that is split by seed); ``largest``, ``low`` and ``high`` are the ranges of pictures
    with more than 8 bits. ``problems``: what the listing left out or guessed, of the place and time that ``signature`` stands
    for."""

    place: str
    signature: str
    content: str
    size: int
    channels: int
    classes: int
    train: int
    test: int
    files: str
    side: int
    largest: int
    low: float
    high: float
    problems: tuple[str, ...] = ()

    @property
    def ranges(self) -> Ranges:
        """For :func:`decode`."""
        return Ranges(self.largest, self.low, self.high)


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


_Memo = tuple[str, str]
_seen: dict[_Memo, tuple[float, Facts]] = {}
_lock = threading.Lock()


def facts(collection: Collection) -> Facts:
    """What the files hold; remembered until their sizes or modification times change."""
    place = str(collection.path)
    name = f"{type(collection).__name__}\0{place}"
    note = "about-" + hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    signature = f"{FACTS}.{REVISION}:{collection.signature()}"
    stored = cache.read_note(note)
    if stored is not None and stored.get("signature") == signature:
        try:
            return Facts(**stored | {"problems": tuple(stored.get("problems", ()))})
        except TypeError:
            pass  # written by another version
    check_here(signature)
    listing = collection.listing()
    looked = survey(collection, listing)
    collection.check_pixels(looked.pixels)
    files = collection.content()
    if listing.reading:
        files = hashlib.sha256(f"{files}\0{listing.reading}".encode()).hexdigest()
    if reading := collection.reading():
        files = hashlib.sha256(f"{files}\n{reading}".encode()).hexdigest()
    content = hashlib.sha256(f"{files} revision 2".encode()).hexdigest() if looked.reread else files
    found = Facts(
        place=place,
        signature=signature,
        content=f"sha-{content[:32]}",
        size=looked.size,
        channels=looked.channels,
        classes=len(listing.class_names),
        train=int((listing.splits != TEST).sum()),
        test=int((listing.splits == TEST).sum()),
        files=f"sha-{files[:32]}",
        side=looked.side,
        problems=listing.problems,
        **asdict(looked.ranges),
    )
    cache.write_note(note, asdict(found))
    return found


def recent(memo: _Memo) -> Facts | None:
    """Facts that this process learnt a moment ago about (a dataset's name, its ``data``)."""
    with _lock:
        at, found = _seen.get(memo, (-LOOK_AGAIN, None))
    return found if time.monotonic() - at < LOOK_AGAIN else None


def remember(memo: _Memo, found: Facts) -> None:
    """Keep facts for :func:`recent`."""
    with _lock:
        _seen[memo] = (time.monotonic(), found)


def look_again(memo: _Memo) -> None:
    """What was learnt a moment ago may no longer be so: the next reader looks at the files."""
    with _lock:
        _seen.pop(memo, None)


def load(wanted: Wanted, seed: int, collection: Callable[[], Collection]) -> Split:
    """Training and test images, from the cache where they have been decoded before: the files are then not looked at.

    Raises :class:`UserError` when the files are no longer what ``wanted`` was made from, or when too few can be read.
    """
    key = wanted.key(seed)
    arrays = cache.read(key)
    if arrays is None:
        check_here(key)
        with cache.alone(key):
            arrays = cache.read(key)  # somebody else may have decoded them meanwhile
            if arrays is None:
                try:
                    arrays = _decode(collection(), wanted, seed)
                except UserError:
                    # The files are gone, or are read otherwise by now: what was decoded from them then is still right.
                    # A list's positions count the images in another order than then.
                    arrays = None if wanted.listed else cache.read(wanted.key(seed, FIRST_REVISION))
                    if arrays is None:
                        raise
                else:
                    cache.write(key, arrays)
    return _split(arrays, wanted, seed)


def _decode(collection: Collection, wanted: Wanted, seed: int) -> dict[str, np.ndarray]:
    """Decode what is wanted; arrays as :func:`_split` takes them."""
    found = facts(collection)
    _check_content(collection, found, wanted)
    listing = collection.listing()
    train, test = choose(listing, wanted.limit, wanted.test_limit, wanted.test_share, seed)
    if wanted.limit or wanted.test_limit:  # else everything is decoded, and serves every list
        train, test = moves.move(train, test, listing.splits, moves.read_numbers(wanted.listed, len(listing)))
    ids = np.sort(np.concatenate([train, test]))
    _check_memory(len(ids), wanted)
    pixels, hashes, reasons, done = decode_all(collection, ids, wanted.size, wanted.channels, found.ranges)
    problems = said.left_out([listing.names[k] for k in ids], reasons)
    unreadable = ids[np.array([row for row, reason in enumerate(reasons) if reason], np.int64)]
    good = np.array([row for row, reason in enumerate(reasons) if not reason], np.int64)
    if problems:
        pixels, hashes, done = pixels[good], hashes[good], [done[row] for row in good]
    ids = ids[good]
    names = [listing.names[k] for k in ids]
    groups = twins.groups_of(pixels)
    problems += said.treatment(done, names, pixels, found.ranges)
    problems += twins.twins_said(groups, names, listing.labels[ids])
    side = np.where(np.isin(ids, test), TEST, TRAIN) if wanted.limit or wanted.test_limit else listing.splits[ids]
    about = {
        "class_names": listing.class_names,
        "problems": problems,
        "of": [int((listing.splits != TEST).sum()), int((listing.splits == TEST).sum())],
        "names": listing.names,
        "numbering": collection.numbering,
        "preprocessing": said.preprocessing(wanted.size, wanted.channels, found.ranges, said.counted(done)),
    }
    arrays = {
        "pixels": pixels,
        "labels": listing.labels[ids],
        "splits": side.astype(np.int8),
        "groups": groups,
        "hashes": hashes,
        "ids": ids,
        "bad": unreadable,
        "all_labels": listing.labels,
        "all_splits": listing.splits,
    }
    if listing.clean is not None:
        arrays["clean"] = listing.clean[ids]
    return arrays | {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}


def _check_memory(count: int, wanted: Wanted) -> None:
    needed = count * wanted.channels * wanted.size**2
    if needed > MAX_DECODED:
        raise UserError(
            f"{count:,} images of {wanted.size}×{wanted.size} need {needed / 2**30:.1f} GB of memory, more than "
            f"{MAX_DECODED / 2**30:g} GB; choose a smaller dataset.size or a dataset.limit."
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


def _split(arrays: dict[str, np.ndarray], wanted: Wanted, seed: int) -> Split:
    about: dict[str, Any] = json.loads(arrays["about"].tobytes().decode())
    if "ids" not in arrays:  # decoded before other images than those in use were listed
        same = {"ids": np.arange(len(arrays["labels"])), "bad": np.arange(0), "all_labels": arrays["labels"]}
        arrays = arrays | same | {"all_splits": arrays["splits"]}
    names, class_names, ids = tuple(about["names"]), tuple(about["class_names"]), arrays["ids"]
    listing = Listing(tuple(names[k] for k in ids), arrays["labels"], arrays["splits"], class_names)
    train, test = choose(listing, 0, 0, wanted.test_share, seed)
    listed = moves.read_numbers(wanted.listed, len(names))
    train, test = moves.move(train, test, arrays["all_splits"][ids], np.flatnonzero(np.isin(ids, listed)))
    moved = moves.joined_sentence(arrays["all_splits"], listed, len(test))
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
        *shared(arrays, listing.names, train, test, f"{wanted.key(seed)}-{seed}-{wanted.listed}"),
        *_untested(listing.labels[train], listing.labels[test], class_names),
    )
    everything = names, arrays["all_labels"], arrays["all_splits"], arrays["bad"]
    roster = moves.roster_of(*everything, ids[train], ids[test], about.get("numbering", ""))
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


def check_path(text: str) -> Path:
    """An absolute path that exists; raises :class:`UserError` in one sentence."""
    path = typed_path(text, "the data")
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"There is nothing at {str(path)!r}; a folder of images, a zip, a table or an .npz can be read."
        ) from None
    except OSError as error:  # no permission on the way, say
        reason = str(error.strerror or error).rstrip(".")
        raise UserError(f"{text[:200]!r} cannot be opened: {reason}.") from None
    return path
