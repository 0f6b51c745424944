"""Whether a folder is read as it was before, so that results of two readings never share a name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from unlearn_core.datasets.files.listing import TEST, TRAIN, UNSPLIT, Listing
from unlearn_core.datasets.files.names import readable

_WORDS: Final = {"train": TRAIN, "training": TRAIN, "test": TEST, "val": TEST, "valid": TEST, "validation": TEST}

Rows = list[tuple[str, str, int]]


def reading_of(listing: Listing, paths: Sequence[str]) -> Listing:
    """``listing`` with a ``reading`` where the first version would have had other classes, halves or another order.

    ``paths``: the images as the first version found them. Scenarios are named by what the files hold; where the same files
    are understood as before, the name stays the same.
    """
    names = [listing.class_names[label] for label in listing.labels.tolist()]
    rows = list(zip(listing.names, names, listing.splits.tolist(), strict=True))
    if _first_version(sorted(paths)) == (rows, list(listing.class_names)):
        return replace(listing, reading="")
    total = hashlib.sha256()
    for line in (*listing.class_names, *(f"{name}\0{label}\0{half}" for name, label, half in rows)):
        total.update(line.encode() + b"\n")
    return replace(listing, reading=total.hexdigest())


def _first_version(paths: Sequence[str]) -> tuple[Rows, list[str]] | None:
    """The images (path, class, half) and the classes as they were read at first; None where nothing was."""
    parts = [path.split("/") for path in paths]
    while len({part[0] for part in parts}) == 1 and all(len(part) > 2 for part in parts) and parts[0][0].lower() not in _WORDS:
        parts = [part[1:] for part in parts]
    tops = {part[0].lower() for part in parts if len(part) > 1}
    divided = bool(tops & {"train", "training"}) and tops <= set(_WORDS)
    depth = 2 if divided else 1
    rows = [
        (readable(path), part[depth - 1], _WORDS[part[0].lower()] if divided else UNSPLIT)
        for path, part in zip(paths, parts, strict=True)
        if len(part) > depth
    ]
    classes = {label for _, label, half in rows if half != TEST}
    if all(half != TEST for _, _, half in rows):
        rows = [(path, label, UNSPLIT) for path, label, _ in rows]
    kept = [row for row in rows if row[1] in classes]
    return (kept, sorted(classes, key=_natural)) if kept else None


def _natural(name: str) -> tuple[int, int, str]:
    return (0, int(name), name) if name.isdecimal() and len(name) < 10 else (1, 0, name)
