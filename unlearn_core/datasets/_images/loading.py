"""From a path and parameters to a :class:`Split`: what the files hold, which are taken, decoded once, cached by content."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from unlearn_core.datasets._base import LabelledData, Split
from unlearn_core.datasets._images import cache
from unlearn_core.datasets._images.decode import REVISION, Unreadable, decode, is_grey, short_side
from unlearn_core.datasets._images.listing import TEST, TRAIN, Collection, Listing, plain, some
from unlearn_core.datasets._images.sampling import choose
from unlearn_core.deferring import check_here, tell
from unlearn_core.errors import UserError

MAX_DECODED = 2**30
"""Bytes of decoded images that one dataset may take in memory."""
LARGEST_DEFAULT = 32
LOOK_AGAIN = 10.0
"""Seconds for which a folder counts as unchanged without being looked at."""
FACTS = 1
"""Raised when remembered facts mean something else."""
_PROBES = 48


@dataclass(frozen=True)
class Facts:
    """What a collection holds. ``place`` is where it lies, ``content`` names it wherever it lies; ``size`` and ``channels``
    are sensible defaults; ``train`` and ``test`` count images (``test`` is 0 for a tree that is split by seed)."""

    place: str
    signature: str
    content: str
    size: int
    channels: int
    classes: int
    train: int
    test: int


@dataclass(frozen=True)
class Wanted:
    """What is taken from a collection: see the parameters of the dataset ``images``."""

    content: str
    size: int
    channels: int
    limit: int
    test_limit: int
    test_share: float

    def key(self, seed: int) -> str:
        """Names the decoded arrays. Where everything is taken they serve every seed, and only the split is drawn anew."""
        chosen = [self.limit, self.test_limit, self.test_share, seed] if self.limit or self.test_limit else []
        text = json.dumps([REVISION, self.content, self.size, self.channels, chosen])
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
            return Facts(**stored)
        except TypeError:
            pass  # written by another version
    check_here(signature)
    listing = collection.listing()
    size, channels = _usual(collection, listing)
    unsplit = int((listing.splits != TEST).sum())
    tested = int((listing.splits == TEST).sum())
    found = Facts(
        place, signature, f"sha-{collection.content()[:32]}", size, channels, len(listing.class_names), unsplit, tested
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
                arrays = _decode(collection(), wanted, seed)
                cache.write(key, arrays)
    return _split(arrays, wanted, seed)


def _decode(collection: Collection, wanted: Wanted, seed: int) -> dict[str, np.ndarray]:
    """Decode what is wanted; arrays as :func:`_split` takes them."""
    if facts(collection).content != wanted.content:
        raise UserError(f"The images in {str(collection.path)!r} have changed since this was planned; run it again.")
    listing = collection.listing()
    train, test = choose(listing, wanted.limit, wanted.test_limit, wanted.test_share, seed)
    ids = np.sort(np.concatenate([train, test]))
    needed = len(ids) * wanted.channels * wanted.size**2
    if needed > MAX_DECODED:
        raise UserError(
            f"{len(ids):,} images of {wanted.size}×{wanted.size} need {needed / 2**30:.1f} GB of memory, more than "
            f"{MAX_DECODED / 2**30:g} GB; choose a smaller dataset.size or a dataset.limit."
        )
    pixels = np.empty((len(ids), wanted.channels, wanted.size, wanted.size), np.uint8)

    def one(row: int) -> str:
        try:
            pixels[row] = decode(collection.picture(int(ids[row])), wanted.size, wanted.channels)
        except Unreadable as error:
            return str(error)
        return ""

    reasons = []
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for row, said in enumerate(pool.map(one, range(len(ids)))):  # one that is broken off takes no more images
            tell(row, len(ids))
            reasons.append(said)
    bad = [row for row, reason in enumerate(reasons) if reason]
    problems = [f"{plain(listing.names[ids[row]])} {reasons[row]} and is left out." for row in bad[:20]]
    if len(bad) > 20:
        problems.append(f"{len(bad) - 20:,} more images cannot be used and are left out.")
    good = np.array([row for row, reason in enumerate(reasons) if not reason], np.int64)
    if len(bad):
        pixels = pixels[good]
    ids = ids[good]
    problems += _duplicates(pixels, [listing.names[k] for k in ids], listing.labels[ids])
    side = np.where(np.isin(ids, test), TEST, TRAIN) if wanted.limit or wanted.test_limit else listing.splits[ids]
    about = {
        "class_names": listing.class_names,
        "problems": [*listing.problems, *problems],
        "of": [int((listing.splits != TEST).sum()), int((listing.splits == TEST).sum())],
        "names": [listing.names[k] for k in ids],
    }
    arrays = {"pixels": pixels, "labels": listing.labels[ids], "splits": side.astype(np.int8)}
    if listing.clean is not None:
        arrays["clean"] = listing.clean[ids]
    return arrays | {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}


def _duplicates(pixels: np.ndarray, names: list[str], labels: np.ndarray) -> list[str]:
    """Images that look exactly alike at this size: harmless, or one image on both sides of the split, or two labels."""
    first: dict[bytes, int] = {}
    twice = []
    for row, image in enumerate(pixels):
        other = first.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), row)
        if other != row:
            twice.append((other, row))
    if not twice:
        return []
    a, b = twice[0]
    said = [f"{len(twice):,} images look exactly like another one, for example {names[a][:80]!r} and {names[b][:80]!r}."]
    torn = [(a, b) for a, b in twice if labels[a] != labels[b]]
    if torn:
        a, b = torn[0]
        said.append(
            f"{len(torn):,} of them carry another label than their twin, for example {names[a][:80]!r} and {names[b][:80]!r}."
        )
    return said


def _split(arrays: dict[str, np.ndarray], wanted: Wanted, seed: int) -> Split:
    about = json.loads(arrays["about"].tobytes().decode())
    names, class_names = about["names"], tuple(about["class_names"])
    listing = Listing(tuple(names), arrays["labels"], arrays["splits"], class_names)
    train, test = choose(listing, 0, 0, wanted.test_share, seed)
    present = len(np.unique(listing.labels[train]))
    if present < 2 or not len(test):
        raise UserError(
            f"Of the images {len(train)} for training (of {present} classes) and {len(test)} for testing can be read; "
            f"that is too few. " + (about["problems"] or [""])[0]
        )
    pixels, labels = torch.from_numpy(arrays["pixels"]), torch.from_numpy(arrays["labels"])
    halves = [LabelledData(_take(pixels, ids), labels[ids], class_names) for ids in map(torch.from_numpy, (train, test))]
    clean = torch.from_numpy(arrays["clean"])[train] if "clean" in arrays else None
    note = _note(about, wanted, len(train), len(test), class_names)
    problems = (*about["problems"], *_untested(listing.labels[train], listing.labels[test], class_names))
    return Split(halves[0], halves[1], tuple(names[k] for k in train), clean, note, problems)


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


def _usual(collection: Collection, listing: Listing) -> tuple[int, int]:
    """A common size (up to 32) and the channels, from the headers of a few images spread over the listing."""
    sides, grey = [], []
    for k in np.linspace(0, len(listing) - 1, min(_PROBES, len(listing))).astype(int):
        try:
            picture = collection.picture(int(k))
        except Unreadable:
            continue
        sides.append(short_side(picture))
        grey.append(is_grey(picture))
    if not sides:
        raise UserError(f"None of the {len(listing):,} images in {str(collection.path)!r} can be read.")
    return int(min(LARGEST_DEFAULT, max(4, np.median(sides)))), 1 if all(grey) else 3


def check_path(text: str) -> Path:
    """An absolute path that exists; raises :class:`UserError` in one sentence."""
    if "\0" in text or len(text) > 4096:
        raise UserError("The path of the data cannot be a path.")
    path = Path(os.path.abspath(Path(text).expanduser()))
    if not path.exists():
        raise UserError(f"There is nothing at {str(path)!r}; a folder of images, a zip, a table or an .npz can be read.")
    return path
