"""What a collection of images consists of before any of them is decoded, and the base of everything that lists one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from unlearn_core.datasets.files.names import readable, some
from unlearn_core.errors import UserError

MAX_IMAGES = 300_000
"""Entries that one collection may have: beyond, listing alone would take minutes and gigabytes."""
MAX_CLASSES, MAX_CLASS_NAME = 1_000, 200
MAX_FILE_BYTES = 64 * 2**20
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
    | {".jpe", ".jfif", ".jif", ".jfi", ".mpo", ".apng", ".pbm", ".pnm"}
)

TRAIN, TEST, UNSPLIT, VAL, EVAL = 1, 0, -1, 2, 3
HELD_OUT: Final = {TEST: "test", EVAL: "evaluation", VAL: "validation"}
"""What is not trained on and how it is called; the first that is there is what utility is measured on."""
SPLIT_NAMES: Final = {
    **dict.fromkeys(("train", "training", "trn"), TRAIN),
    **dict.fromkeys(("test", "testing", "tst"), TEST),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "devel", "development"), VAL),
    **dict.fromkeys(("eval", "evaluation", "holdout", "heldout"), EVAL),
}
"""Words for a half, in lower case."""

Picture = Image.Image | np.ndarray
"""A picture as its file holds it: a Pillow image, or uint8 of shape (H, W) or (H, W, C)."""


@dataclass(frozen=True)
class Listing:
    """The images of a collection in a fixed order.

    ``names``: N names that a person recognises (paths relative to the root). ``labels``: int64 (N,), the given labels as
    positions in ``class_names``. ``splits``: int8 (N,), TRAIN, TEST or UNSPLIT. ``clean``: int64 (N,) true labels where a
    manifest knows them, -1 elsewhere. ``problems``: one sentence for everything that was left out or looks wrong.
    ``reading``: text that names how the files were understood where earlier versions understood them differently; it is part
    of what identifies the data, so that results of one reading are never taken for those of another. Usually empty.
    """

    names: tuple[str, ...]
    labels: np.ndarray
    splits: np.ndarray
    class_names: tuple[str, ...]
    clean: np.ndarray | None = None
    problems: tuple[str, ...] = ()
    reading: str = ""

    def __len__(self) -> int:
        return len(self.names)


class Collection:
    """Where encoded or raw pictures come from: a folder, a zip, a manifest, arrays.

    ``signature`` is cheap and changes whenever the files do; ``content`` identifies what they hold, wherever they lie.
    ``numbering``: in which order the images are numbered, for a sentence.
    """

    numbering = "in the order in which they are stored"

    def __init__(self, path: Path) -> None:
        self.path = path

    def signature(self) -> str:
        """Cheap: from sizes and modification times."""
        raise NotImplementedError

    def content(self) -> str:
        """SHA-256 (hex) over everything that decides what is loaded; reads every file once."""
        raise NotImplementedError

    def reading(self) -> str:
        """How the files are read where that differs from earlier versions, "" where it does not: with :meth:`content` it makes
        the name of the data, so that an older result is never taken for one of what is read now."""
        return ""

    def listing(self) -> Listing:
        """All images with their labels; raises :class:`UserError` where there is nothing to learn from."""
        raise NotImplementedError

    def picture(self, k: int) -> Picture:
        """Picture ``k`` of the listing, not yet decoded; raises ``Unreadable`` where it cannot be opened."""
        raise NotImplementedError

    def header(self, k: int) -> Picture:
        """As much of :meth:`picture` as tells its kind and size."""
        return self.picture(k)

    def check_pixels(self, pixels: int) -> None:
        """Raise :class:`UserError` where all pictures together have more pixels than such a collection can have honestly."""


def make_listing(
    names: Sequence[str],
    labels: Sequence[str],
    splits: Sequence[int],
    *,
    where: str,
    clean: Sequence[str] | None = None,
    problems: Sequence[str] = (),
    order: Sequence[str] | None = None,
) -> Listing:
    """Class names as positions, checked: classes come from the training half, and each side must have images.

    ``splits`` may hold VAL and EVAL too: see :func:`_test_half`. ``clean`` has "" where the true label is unknown. ``order``:
    the class names in the order that the source gives them; without it they are sorted. Raises :class:`UserError` with fewer
    than two classes.
    """
    halves, used, found = _test_half(np.asarray(splits, np.int8))
    labels = [readable(label) for label in labels]
    given = [(label, half) for label, half, kept in zip(labels, halves, used, strict=True) if kept]
    learnt, tested = ({label for label, half in given if (half == TEST) == side} for side in (False, True))
    if tested and not learnt:
        raise UserError(f"{where} has test images but none for training.")
    known = learnt | {readable(label) for label in clean or () if label}
    class_names = _check_classes(known, where, order)
    if not tested and TRAIN in halves:
        found.append("There are no test images, so a part of the training images is held out for testing.")
        halves = np.full(len(halves), UNSPLIT, np.int8)
    found += _untrained(tested, known, where)
    position = {name: k for k, name in enumerate(class_names)}
    keep = [k for k, label in enumerate(labels) if label in position and used[k]]
    truth = None if clean is None else np.array([position.get(readable(clean[k]), -1) for k in keep], np.int64)
    return Listing(
        tuple(readable(names[k]) for k in keep),
        np.array([position[labels[k]] for k in keep], np.int64),
        halves[keep],
        class_names,
        truth,
        (*problems, *found),
        "" if all(used) else "utility is measured on the test images alone",
    )


def _untrained(tested: set[str], known: set[str], where: str) -> list[str]:
    """One sentence for classes of test images that are none of the training images; refused where all of them are such."""
    strange = sorted(tested - known)
    if not strange:
        return []
    no_class = "is no class" if len(strange) == 1 else "are no classes"
    if tested.isdisjoint(known):
        raise UserError(f"{where} has no test images that can be used: {some(strange)} {no_class} of the training images.")
    return [f"{some(strange)} in the test images {no_class} of the training images; those test images are left out."]


def _check_classes(known: set[str], where: str, order: Sequence[str] | None) -> tuple[str, ...]:
    """The classes in the source's ``order``, else sorted; raises :class:`UserError` for too few, too many, or a name that is
    no name."""
    if len(known) < 2:
        raise UserError(f"{where} has images of {len(known)} classes; learning needs at least two.")
    if len(known) > MAX_CLASSES:
        raise UserError(f"{where} has {len(known):,} classes; at most {MAX_CLASSES:,} are supported.")
    class_names = tuple(
        sorted(known, key=natural) if order is None else (name for name in map(readable, order) if name in known)
    )
    if long := next((name for name in class_names if len(name) > MAX_CLASS_NAME), None):
        raise UserError(f"{where} has a class name of {len(long):,} characters, {long[:40]!r}…; at most 200 are taken.")
    return class_names


def _test_half(splits: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Halves with one of test, evaluation and validation as TEST; which rows are used; a sentence where one stands in for
    another or is left out. They are never joined: a network may have been chosen by its validation images."""
    there = [half for half in HELD_OUT if (splits == half).any()]
    halves, used = splits.copy(), np.ones(len(splits), bool)
    if not there or there == [TEST]:
        return halves, used, []
    first, counts = there[0], {half: int((splits == half).sum()) for half in there}
    halves[splits == first] = TEST
    said = []
    if first != TEST:
        said.append(f"There are no test images; the {counts[first]:,} {HELD_OUT[first]} images are used for testing.")
    for half in there[1:]:
        used &= splits != half
        halves[splits == half] = TEST
        said.append(
            f"The {counts[half]:,} {HELD_OUT[half]} images are left out: utility is measured on the {HELD_OUT[first]} images "
            "alone."
        )
    return halves, used, said


def check_count(count: int, where: str) -> None:
    """Raise :class:`UserError` for a collection that is too large to list."""
    if count > MAX_IMAGES:
        raise UserError(f"{where} has more than {MAX_IMAGES:,} images, which is more than can be listed; give a part of it.")


def plain(name: str) -> str:
    """A name as it is, or in quotes where it would break a line."""
    return name[:120] if name.isprintable() else repr(name[:120])


def natural(name: str) -> tuple[int, int, str]:
    """Key to sort names by: numbers by value, then text, '2' before '10'."""
    return (0, int(name), name) if name.isdecimal() and len(name) < 10 else (1, 0, name)
