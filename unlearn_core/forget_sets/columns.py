"""Which column of a forget list is which; what cannot be told is refused with the columns found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from unlearn_core.datasets.files.text_tables import (
    CLEAN,
    FALSE,
    GIVEN,
    PATHS,
    TRUE,
    Rows,
    Table,
    does_not_fit,
    is_number,
    plain_name,
    shown_names,
    tables,
    whole_number,
)
from unlearn_core.errors import UserError
from unlearn_core.forget_sets.image_paths import is_image_path

INDEX: Final = ("index", "idx", "indices", "example_index", "sample_index", "image_index", "train_index", "training_index")
FLAGS: Final = (
    "is_label_issue", "label_issue", "is_issue", "has_label_issue", "is_label_error", "label_error", "is_mislabeled",
    "is_mislabelled", "mislabeled", "mislabelled", "is_corrupted", "corrupted", "is_wrong", "wrong", "is_noisy", "noisy",
)  # fmt: skip
"""Columns that say for every image whether it is meant."""
LABEL: Final = ("label", "class", "class_name", "category")
NOTES: Final = ("note", "notes", "comment", "remark")
_SILENT: Final = frozenset(
    {"score", "probability", "says", "accepted", "rank", "label_quality", "label_score", "predicted_label", "predicted",
     "split", "kind"}
)  # fmt: skip
"""Columns of Eunoe's own lists and of cleanlab's frames that say nothing about which image is meant."""


@dataclass(frozen=True)
class Places:
    """Columns of a list: ``path`` or ``index`` say which image (both None: the number of the row does), ``flag`` whether it is
    meant, ``right`` and ``given`` are labels, ``label`` is one of the two, ``note`` a remark."""

    path: int | None
    index: int | None
    flag: int | None
    right: int | None
    given: int | None
    label: int | None
    note: int | None
    ignored: tuple[str, ...] = ()


def as_table(rows: Rows, names: Sequence[str], where: str) -> Table:
    """The rows with names for their columns: those of the first line, or the usual ones for bare numbers or paths.

    ``names``: of the images. Where the rows have one cell more than the first line names, what fits decides.
    """
    first = rows[0][1]
    if is_number(first[0]) or (_place(first, (*INDEX, *PATHS, *FLAGS)) is None and is_image_path(first[0], names)):
        header = ["index" if is_number(first[0]) else "path", "clean_label", "note"]
        rows = [(0, header[: max(1, len(first))]), *rows]
    found = max(tables(rows, where), key=_fits)
    if found.unnamed and not _fits(found)[0] and found.place((*INDEX, *PATHS)) is not None:
        width = len(rows[0][1])
        line, cells = next((line, cells) for line, cells in rows[1:] if len(cells) > width)
        raise UserError(does_not_fit(where, line, len(cells), width))
    return found


def _fits(table: Table) -> tuple[int, bool]:
    """How many rows say which image is meant, if the columns are these."""
    index, path = table.place(INDEX), table.place(PATHS)
    if path is not None:
        return sum("." in cells[path] and not is_number(cells[path]) for cells in table.cells), not table.unnamed
    if index is not None:
        return sum(is_number(cells[index]) for cells in table.cells), not table.unnamed
    return 0, table.unnamed  # a frame of pandas with its index, whose first line lacks a name for it


def _place(header: Sequence[str], wanted: Sequence[str]) -> int | None:
    names = [plain_name(text) for text in header]
    return next((names.index(name) for name in wanted if name in names), None)


def find_places(table: Table, numbered: int, has_names: bool, where: str) -> Places:
    """The columns; raises :class:`UserError` for a list that does not say which images it means.

    ``numbered``: how many images there are to count, ``has_names``: whether they have paths.
    """
    path, index, flag = table.place(PATHS), table.place(INDEX), table.place(FLAGS)
    right, given, label = table.place(CLEAN), table.place(GIVEN), table.place(LABEL)
    note = table.place(NOTES)
    if path is None and index is None:
        index = _unnamed_index(table, flag, where)
        if index is None and not (flag is not None and len(table.cells) == numbered):
            also = " or “path,clean_label,note”" if has_names else ""
            more = ""
            if flag is not None:
                more = f" Its {len(table.cells):,} rows are not one for each of the {numbered:,} images either."
            raise UserError(
                f"{where} has no column called index{' or path' if has_names else ''}; its columns are "
                f"{shown_names(table.written)}. Its first line should be “index,clean_label,note”{also}.{more}"
            )
    used = {path, index, flag, right, given, label, note}
    ignored = tuple(
        written
        for place, (name, written) in enumerate(zip(table.names, table.written, strict=True))
        if place not in used and name and name not in (*_SILENT, *INDEX, *PATHS)
    )
    return Places(path, index, flag, right, given, label, note, ignored)


def _unnamed_index(table: Table, flag: int | None, where: str) -> int | None:
    """A first column without a name that holds whole numbers, as pandas writes the index of a frame."""
    if not table.names or table.names[0] or not table.cells:
        return None
    values = [whole_number(text) for text in table.column(0)]
    if not all(text.isascii() and text.isdigit() for text in values):
        return None
    if flag is None and len(values) > 1 and values == [str(k) for k in range(len(values))]:
        raise UserError(
            f"{where} has a first column without a name that counts its rows from 0; call it index if these are the numbers of "
            "the images, or name the images in a column path."
        )
    return 0


def chosen_rows(table: Table, flag: int | None, where: str) -> list[int]:
    """The rows that are meant: all, or those that the column ``flag`` marks."""
    if flag is None:
        return list(range(len(table.cells)))
    name, chosen = table.written[flag], []
    for row, cells in enumerate(table.cells):
        text = cells[flag].lower()
        if text in TRUE:
            chosen.append(row)
        elif text not in FALSE:
            raise UserError(
                f"{where} has a value in the column {name!r} that is neither true nor false, {cells[flag][:40]!r} in line "
                f"{table.lines[row]}."
            )
    if not chosen:
        raise UserError(f"{where} lists no image: {name!r} is false in all of its {len(table.cells):,} rows.")
    return chosen
