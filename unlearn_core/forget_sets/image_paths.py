"""Images by the paths of their files, as people and other programs write them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field

from unlearn_core.datasets import Roster
from unlearn_core.datasets.files.names import compose
from unlearn_core.datasets.files.splits import role_of
from unlearn_core.errors import UserError

MAX_PATH = 4096
_SHOWN = 3
Lines = list[tuple[int, str]]


@dataclass
class Matched:
    """``positions``: of the image that each path means, None where there is none. ``lost``: (line, path) of those.
    ``by_end``: how many were recognised by their end alone, in another folder; ``of_both``: how many fit a test image too."""

    positions: list[int | None] = field(default_factory=list)
    lost: Lines = field(default_factory=list)
    by_end: int = 0
    of_both: int = 0


def match(paths: Sequence[str], lines: Sequence[int], roster: Roster, where: str) -> Matched:
    """The image that each path means. A path may be written as in the roster, be longer at its front (it says where the folder
    lies), or be only the end of a name, or have its end, a folder and a file at least, in common with one image alone. Where it
    fits one image that is trained on and others that the files call test images, it means the first.

    Raises :class:`UserError` for paths that fit several images, and where none fits any.
    """
    names = roster.names
    if not names:
        raise UserError(f"{where} lists paths, but these data do not come from files; list the numbers of the examples.")
    whole = {compose(name): k for k, name in enumerate(names)}
    depth = max(name.count("/") for name in names) + 1
    ends: dict[str, list[int]] = {}
    found, unclear = Matched(), Lines()
    for line, written in zip(lines, paths, strict=True):
        path = _tidy(written)
        fits = [whole[as_is]] if (as_is := compose(written)) in whole else _whole(path, whole, depth)
        if not fits:
            ends = ends or _ends(names)
            fits = ends.get(path, [])
            if not fits:
                fits = _common_end(path, ends, names, depth)
                found.by_end += bool(fits)
            if len(fits) > 1 and len(trained := [k for k in fits if not roster.tested[k]]) == 1:
                fits, found.of_both = trained, found.of_both + 1
        found.positions.append(fits[0] if len(fits) == 1 else None)
        if len(fits) > 1:
            unclear.append((line, path))
        elif not fits:
            found.lost.append((line, path))
    if found.lost and len(found.lost) == len(paths):
        raise UserError(f"{where} names {len(paths):,} files that are no images here: {some(found.lost)}.")
    if unclear:
        raise UserError(f"{where} names {len(unclear):,} files that fit several images: {some(unclear)}.")
    return found


def is_image_path(path: str, names: Sequence[str]) -> bool:
    """Whether this text is the path of one of the images, as a first line without names of columns has it."""
    return bool(_whole(_tidy(path), {compose(name): k for k, name in enumerate(names)}, 64)) if names else False


def _whole(path: str, whole: dict[str, int], depth: int) -> list[int]:
    """The image whose whole name the path ends with."""
    if path in whole:
        return [whole[path]]
    parts = path.split("/")  # of a hostile path there are thousands, and no name has more than ``depth``
    tails = ("/".join(parts[start:]) for start in range(max(1, len(parts) - depth), len(parts)))
    return next(([whole[tail]] for tail in tails if tail in whole), [])


def _ends(names: Sequence[str]) -> dict[str, list[int]]:
    """Every name and every end of a name (whole parts) → the images that it fits."""
    ends: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        parts = compose(name).split("/")
        for start in range(len(parts)):
            ends.setdefault("/".join(parts[start:]), []).append(position)
    return ends


def _common_end(path: str, ends: dict[str, list[int]], names: Sequence[str], depth: int) -> list[int]:
    """The images with the longest end in common. ``test/cat/1.png`` and ``train/cat/1.png`` have one, but are two files, and
    what lies above the folder (``..``) is another place."""
    parts = path.split("/")
    for start in range(max(1, len(parts) - depth), len(parts) - 1):
        fits = ends.get("/".join(parts[start:]), [])
        if fits:
            before = parts[start - 1]
            theirs = [names[k].split("/")[: -(len(parts) - start)] for k in fits]
            if before == ".." or any(t and _are_halves(before, t[-1]) for t in theirs):
                return []
            return fits
    return []


def _are_halves(one: str, other: str) -> bool:
    """Whether both folders are called like halves of one set, ``seg_test`` and ``seg_train``."""
    (first, words), (second, others) = role_of(one), role_of(other)
    return first is not None and second is not None and words == others


def _tidy(text: str) -> str:
    text = compose(text[:MAX_PATH].strip()).replace("\\", "/").removeprefix("file://")
    return posixpath.normpath(text).removeprefix("./") if text else ""


def some(rows: Lines) -> str:
    """The first few paths with their lines."""
    shown = ", ".join(f"{path[-60:]!r} in line {line}" for line, path in rows[:_SHOWN])
    return shown + (f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else "")
