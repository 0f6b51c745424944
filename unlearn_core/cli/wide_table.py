"""A table of more columns than a terminal has room for: as several below one another, with no cell cut or wrapped."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

GAP = 2
EMPTY = "–"


def lines(table: pd.DataFrame, title: str, left: Sequence[str] = (), width: int | None = None) -> Iterator[str]:
    """The table's lines: the index and the columns ``left``, left-aligned, begin each part, and as many of the others follow as
    fit into ``width`` (the terminal's where it is None), at least one. Rows with nothing in a part are left out of it, and
    lines end in no spaces, so that what is saved can be searched and compared.
    """
    width = shutil.get_terminal_size().columns if width is None else width
    heads = _column(str(table.index.name or ""), table.index), *(_column(name, table[name]) for name in left)
    names = [str(name) for name in table.columns if name not in left]
    columns = [_column(name, table[name]) for name in names]
    room = width - sum(wide for _, wide in heads) - GAP * (len(heads) - 1)
    parts = list(_parts([wide + GAP for _, wide in columns], room))
    yield title if len(parts) == 1 else f"{title}; {len(parts)} parts, one below the other"
    for part in parts:
        if part.start:
            yield ""
        shown = columns[part.start : part.stop]
        for k in range(len(table) + 1):
            cells = [(texts[k], wide) for texts, wide in shown]
            if all(text == EMPTY for text, _ in cells):
                continue
            ends = [_pad(texts[k], wide) for texts, wide in heads], [_pad(text, wide, right=True) for text, wide in cells]
            yield (" " * GAP).join(ends[0] + ends[1]).rstrip()


def _column(name: str, cells: Iterable[object]) -> tuple[list[str], int]:
    """Its texts with the name on top, and the widest of them in columns of a terminal."""
    from rich.cells import cell_len

    texts = [name, *(str(cell).replace("\n", " ") for cell in cells)]
    return texts, max(map(cell_len, texts))


def _parts(widths: Sequence[int], room: int) -> Iterator[range]:
    """Neighbouring columns that fit together."""
    start = used = 0
    for k, wide in enumerate(widths):
        if k > start and used + wide > room:
            yield range(start, k)
            start, used = k, 0
        used += wide
    yield range(start, len(widths))


def _pad(text: str, width: int, *, right: bool = False) -> str:
    from rich.cells import cell_len

    space = " " * (width - cell_len(text))
    return space + text if right else text + space
