"""A look at the header of every picture before any is used: kind, size, and the one range of those with more than 8 bits."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from unlearn_core.datasets.files.decode import Ranges, Unreadable, is_deep, is_grey, may_be_transparent, measure, size_of
from unlearn_core.datasets.files.listing import Collection, Listing
from unlearn_core.errors import UserError
from unlearn_core.support.deferring import tell

LARGEST_DEFAULT = 32
FEW_COLOURS = 0.05
"""With a smaller share of pictures in colour a set counts as grey: some scans are saved as RGB, and colours are then said."""
_PROBES = 48
NO_RANGES = Ranges()


@dataclass(frozen=True)
class Survey:
    """``size`` and ``channels``: sensible defaults. ``side``: the largest shorter side. ``ranges``: of all deep pictures.
    ``pixels``: of all pictures together. ``reread``: whether some would have been read otherwise before revision 2 (they are
    transparent, or of another depth than each alone seemed to have), so that older results belong to other pixels."""

    size: int
    channels: int
    ranges: Ranges
    pixels: int
    side: int
    reread: bool


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    grey: bool
    ranges: Ranges = NO_RANGES
    transparent: bool = False
    floats: bool = False
    deep: bool = False


def survey(collection: Collection, listing: Listing) -> Survey:
    """Look at every header, and at the pixels of deep and of transparent pictures; how far it is, :func:`tell` says.

    Raises :class:`UserError` where no picture can be read.
    """

    def one(k: int) -> _Header | str:
        try:
            return _look(collection, k)
        except Unreadable as error:
            return str(error)

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        looked = []
        for k, header in enumerate(pool.map(one, range(len(listing)))):
            tell(k, len(listing))
            looked.append(header)
    found = [header for header in looked if isinstance(header, _Header)]
    if not found:
        raise UserError(
            f"None of the {len(listing):,} images in {str(collection.path)!r} can be read: the first of them {looked[0]}."
        )
    ranges = NO_RANGES
    for header in found:
        ranges = ranges | header.ranges
    return Survey(
        size=_usual_size(looked, found),
        channels=1 if sum(not header.grey for header in found) < FEW_COLOURS * len(found) else 3,
        ranges=ranges,
        pixels=sum(header.width * header.height for header in found),
        side=max(min(header.width, header.height) for header in found),
        reread=any(header.transparent or header.floats or _was_read_otherwise(header, ranges) for header in found),
    )


def _look(collection: Collection, k: int) -> _Header:
    picture = collection.header(k)
    (width, height), grey = size_of(picture), is_grey(picture)
    if not is_deep(picture) and not may_be_transparent(picture):
        return _Header(width, height, grey)
    deep, floats = is_deep(picture), getattr(picture, "mode", "") == "F"
    ranges, transparent = measure(collection.picture(k))
    return _Header(width, height, grey, ranges, transparent, floats, deep)


def _was_read_otherwise(header: _Header, ranges: Ranges) -> bool:
    """Each picture was scaled by itself once: kept up to 255, divided by 257 above."""
    return header.deep and (ranges.depth != 16 if header.ranges.largest > 255 else ranges.depth != 8)


def _usual_size(looked: list[_Header | str], found: list[_Header]) -> int:
    """The median of the shorter sides of a few pictures spread over the listing, at most :data:`LARGEST_DEFAULT`."""
    probes = (looked[k] for k in np.linspace(0, len(looked) - 1, min(_PROBES, len(looked))).astype(int))
    sides = [min(probe.width, probe.height) for probe in probes if isinstance(probe, _Header)]
    sides = sides or [min(header.width, header.height) for header in found]
    return int(min(LARGEST_DEFAULT, max(4, np.median(sides))))
