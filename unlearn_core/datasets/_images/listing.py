"""What a collection of images consists of before any of them is decoded, and the base of everything that lists one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from unlearn_core.errors import UserError

MAX_IMAGES = 300_000
"""Entries that one collection may have: beyond, listing alone would take minutes and gigabytes."""
MAX_CLASSES, MAX_CLASS_NAME = 1_000, 200
MAX_FILE_BYTES = 64 * 2**20
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
TRAIN, TEST, UNSPLIT = 1, 0, -1
SPLIT_NAMES = {"train": TRAIN, "training": TRAIN, "test": TEST, "val": TEST, "valid": TEST, "validation": TEST}

Picture = Image.Image | np.ndarray
"""A picture as its file holds it: a Pillow image, or uint8 of shape (H, W) or (H, W, C)."""


@dataclass(frozen=True)
class Listing:
    """The images of a collection in a fixed order.

    ``names``: N names that a person recognises (paths relative to the root). ``labels``: int64 (N,), the given labels as
    positions in ``class_names``. ``splits``: int8 (N,), TRAIN, TEST or UNSPLIT. ``clean``: int64 (N,) true labels where a
    manifest knows them, -1 elsewhere. ``problems``: one sentence for everything that was left out or looks wrong.
    """

    names: tuple[str, ...]
    labels: np.ndarray
    splits: np.ndarray
    class_names: tuple[str, ...]
    clean: np.ndarray | None = None
    problems: tuple[str, ...] = ()

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
        """Picture ``k`` of the listing, not yet decoded; raises ``OSError`` where it cannot be opened."""
        raise NotImplementedError


def make_listing(
    names: Sequence[str],
    labels: Sequence[str],
    splits: Sequence[int],
    *,
    where: str,
    clean: Sequence[str] | None = None,
    problems: Sequence[str] = (),
) -> Listing:
    """Class names as positions, checked: classes come from the training half, and each side must have images.

    ``clean`` has "" where the true label is unknown. Raises :class:`UserError` with fewer than two classes.
    """
    found = list(problems)
    halves = np.asarray(splits, np.int8)
    learnt = {label for label, half in zip(labels, splits, strict=True) if half != TEST}
    known = learnt | ({label for label in clean or () if label} if clean is not None else set())
    class_names = tuple(sorted(known, key=_natural))
    if len(class_names) < 2:
        raise UserError(f"{where} has images of {len(class_names)} classes; learning needs at least two.")
    if len(class_names) > MAX_CLASSES:
        raise UserError(f"{where} has {len(class_names):,} classes; at most {MAX_CLASSES:,} are supported.")
    if (halves == TRAIN).any() and not (halves == TEST).any():
        found.append("There are no test images, so a part of the training images is held out for testing.")
        halves = np.full(len(halves), UNSPLIT, np.int8)
    tested = {label for label, half in zip(labels, splits, strict=True) if half == TEST}
    if strange := sorted(tested - known):
        no_class = "is no class" if len(strange) == 1 else "are no classes"
        found.append(f"{some(strange)} in the test images {no_class} of the training images; those test images are left out.")
    if long := next((name for name in class_names if len(name) > MAX_CLASS_NAME), None):
        raise UserError(f"{where} has a class name of {len(long):,} characters, {long[:40]!r}…; at most 200 are taken.")
    position = {name: k for k, name in enumerate(class_names)}
    keep = [k for k, label in enumerate(labels) if label in position]
    truth = None
    if clean is not None:
        truth = np.array([position.get(clean[k], -1) for k in keep], np.int64)
    return Listing(
        tuple(names[k] for k in keep),
        np.array([position[labels[k]] for k in keep], np.int64),
        halves[keep],
        class_names,
        truth,
        tuple(found),
    )


def check_count(count: int, where: str) -> None:
    """Raise :class:`UserError` for a collection that is too large to list."""
    if count > MAX_IMAGES:
        raise UserError(f"{where} has more than {MAX_IMAGES:,} images, which is more than can be listed; give a part of it.")


def some(names: Sequence[str], most: int = 3) -> str:
    """The first few names in quotes: 'a', 'b' and 7 more."""
    shown = ", ".join(repr(name[:60]) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def are(names: Sequence[str]) -> str:
    """The verb for them."""
    return "is" if len(names) == 1 else "are"


def plain(name: str) -> str:
    """A name as it is, or in quotes where it would break a line."""
    return name[:120] if name.isprintable() else repr(name[:120])


def _natural(name: str) -> tuple[int, int, str]:
    """Numbers by value, then text: '2' before '10'."""
    return (0, int(name), name) if name.isdecimal() and len(name) < 10 else (1, 0, name)
