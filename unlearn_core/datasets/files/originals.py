"""Pictures as their files hold them, before they are made small: for what is judged of a file, not of what is trained on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

import numpy as np
from PIL import Image

from unlearn_core.datasets.files.decode import BROKEN, Ranges, Unreadable, decode, size_of
from unlearn_core.datasets.files.listing import SPLIT_NAMES, Collection, Listing, Picture
from unlearn_core.support.deferring import tell

SIDE = 128
"""Pixels a side at which originals are looked at, at most: enough to tell sharp from blurred."""
_MAKER, _MODEL = 271, 272
"""EXIF tags of the camera."""
T = TypeVar("T")


@dataclass(frozen=True)
class Original:
    """``grey`` uint8 (s, s): the square around the middle, as is trained on, of at most :data:`SIDE` pixels and never enlarged.
    ``width`` and ``height`` of the file's picture; ``suffix`` of its name in lower case; ``above`` and ``below``: the
    folders on either side of the one called as its class, without halves; ``camera`` by EXIF; "" where there is none."""

    grey: np.ndarray
    width: int
    height: int
    suffix: str
    above: str
    below: str
    camera: str


def look_at_originals(
    collection: Collection, positions: np.ndarray, ranges: Ranges, look: Callable[[Original], T]
) -> list[T | None]:
    """What ``look`` says of each picture at these positions of the collection, None where it cannot be read (any more). How far
    it is, :func:`tell` says."""
    listing = collection.listing()

    def one(position: int) -> T | None:
        try:
            return look(_original(collection, listing, position, ranges))
        except Unreadable:
            return None

    found: list[T | None] = []
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for row, seen in enumerate(pool.map(one, positions.tolist())):
            tell(row, len(positions))
            found.append(seen)
    return found


def _original(collection: Collection, listing: Listing, position: int, ranges: Ranges) -> Original:
    picture = collection.picture(position)
    width, height = size_of(picture)
    camera = _camera(picture)
    grey = decode(picture, min(SIDE, width, height), 1, ranges)[0]
    name = PurePosixPath(listing.names[position])
    folders = _folders(name.parts[:-1], listing.class_names[int(listing.labels[position])])
    return Original(grey, width, height, name.suffix.lower(), *folders, camera)


def _folders(parts: Sequence[str], label: str) -> tuple[str, str]:
    place = parts.index(label) if label in parts else len(parts)
    above = (part for part in parts[:place] if part.lower() not in SPLIT_NAMES)
    return "/".join(above), "/".join(parts[place + 1 :])


def _camera(picture: Picture) -> str:
    """Maker and model by EXIF."""
    if not isinstance(picture, Image.Image) or picture.format not in ("JPEG", "MPO", "TIFF"):
        return ""
    try:
        exif = picture.getexif()
        words = [str(exif.get(tag, "")).strip("\0 ") for tag in (_MAKER, _MODEL)]
    except BROKEN:
        return ""
    return "".join(c for c in " ".join(filter(None, words)) if c.isprintable())[:60]
