"""Training examples by the paths of their files."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from unlearn_core.errors import UserError

Rows = list[tuple[int, list[str]]]
MAX_PATH = 4096
_SHOWN = 3


def by_path(rows: Rows, column: int, names: Sequence[str], where: str) -> Rows:
    """The rows (line number, cells) with the index of the example that ``column`` names put before the other cells.

    A path may be written as in ``names``, be longer at its front (it says where the folder lies) or be only the end of a name,
    if that fits one example alone. Raises :class:`UserError` naming a few of those that fit none or several.
    """
    if not names:
        raise UserError(f"{where} lists paths, but these data do not come from files; list the numbers of the examples.")
    ends, whole = _ends(names), {name: index for index, name in enumerate(names)}
    depth = max(name.count("/") for name in names) + 1
    found: Rows = []
    lost, unclear = list[tuple[int, str]](), list[tuple[int, str]]()
    for line, cells in rows:
        path = _tidy(cells[column] if column < len(cells) else "")
        fits = _fits(path, ends, whole, depth)
        if len(fits) == 1:
            found.append((line, [str(fits[0]), *cells]))
        else:
            (unclear if fits else lost).append((line, path))
    if lost:
        raise UserError(
            f"{where} names {len(lost):,} files that are no training images here: {_some(lost)}. They may be misspelt, test "
            "images, or left out by a limit."
        )
    if unclear:
        raise UserError(f"{where} names {len(unclear):,} files that fit several training images: {_some(unclear)}.")
    return found


def _ends(names: Sequence[str]) -> dict[str, list[int]]:
    """Every name and every end of a name (whole parts) → the examples that it fits."""
    ends: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        parts = name.split("/")
        for start in range(len(parts)):
            ends.setdefault("/".join(parts[start:]), []).append(index)
    return ends


def _fits(path: str, ends: dict[str, list[int]], whole: dict[str, int], depth: int) -> list[int]:
    """The examples that a path may mean. Of a longer path only a whole name counts: the ends of ``test/cat/1.png`` and of
    ``train/cat/1.png`` are the same, the files are not."""
    if path in whole:
        return [whole[path]]
    if path in ends:
        return ends[path]
    parts = path.split("/")  # of a hostile path there are thousands, and no name has more than ``depth``
    tails = ("/".join(parts[start:]) for start in range(max(1, len(parts) - depth), len(parts)))
    return next(([whole[tail]] for tail in tails if tail in whole), [])


def _tidy(text: str) -> str:
    return posixpath.normpath(text[:MAX_PATH].strip().replace("\\", "/")).removeprefix("./") if text.strip() else ""


def _some(rows: Sequence[tuple[int, str]]) -> str:
    shown = ", ".join(f"{path[-60:]!r} in line {line}" for line, path in rows[:_SHOWN])
    return shown + (f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else "")
