"""Small tables of the Python door: text in a terminal, HTML in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

import pandas as pd

_LONGEST = 56
"""Letters of a cell in a terminal; the frame and a notebook have all of it."""
_NUMERIC = set("0123456789.,–-+ %s")


class Table:
    """Rows with names: ``.frame`` is the whole as a pandas ``DataFrame``; iterating gives the names, ``in`` asks for one."""

    def __init__(self, frame: pd.DataFrame, shown: Sequence[str]) -> None:
        self.frame = frame
        self._shown = list(shown)

    def __iter__(self) -> Iterator[str]:
        return iter(self.frame["name"])

    def __len__(self) -> int:
        return len(self.frame)

    def __contains__(self, name: object) -> bool:
        return name in set(self.frame["name"])

    def __repr__(self) -> str:
        return render_text(self._shown, [[_cut(cell) for cell in row] for row in self._cells()])

    def _repr_html_(self) -> str:
        return render_html(self._shown, self._cells())

    def _cells(self) -> list[list[str]]:
        return [["" if pd.isna(value) else str(value) for value in row] for row in self.frame[self._shown].to_numpy()]


def _cut(cell: str) -> str:
    return cell if len(cell) <= _LONGEST else cell[: _LONGEST - 1].rstrip() + "…"


def render_text(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width; numbers stand to the right."""
    columns = list(zip(headers, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [bool(rows) and all(set(cell) <= _NUMERIC for cell in column[1:]) for column in columns]
    lines = [
        "  ".join(cell.rjust(width) if at else cell.ljust(width) for cell, width, at in zip(row, widths, right, strict=True))
        for row in [headers, *rows]
    ]
    return "\n".join(line.rstrip() for line in lines)


def render_html(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same as an HTML table without any style but that of the notebook."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in headers)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
