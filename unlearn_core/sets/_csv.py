"""Forget sets as CSV: ``index[,clean_label][,note]`` or ``path[,…]``, one training example a line. Bad files get one clear
sentence."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from unlearn_core.errors import UserError
from unlearn_core.escaping import neutral_cell, plain_cell
from unlearn_core.sets._content import MAX_NOTE, ForgetSet
from unlearn_core.sets._paths import by_path

MAX_BYTES = 64 * 2**20
MAX_ROWS = 1_000_000
COLUMNS = ("index", "clean_label", "note")
PATHS = ("path", "file", "filename", "image")
"""What a column of paths may be called, as in a manifest."""


def read_csv(
    data: bytes, train_size: int, class_names: Sequence[str], name: str = "The file", paths: Sequence[str] = ()
) -> ForgetSet:
    """The set that a CSV file describes. The first line names the columns, or there is none and they are in this order;
    other columns are ignored, so that the list of suspects can be read back.

    ``paths``: the names of the training examples where they come from files (``Split.names``). A file without a column
    "index" may then have one called "path": the end of a path is enough where it fits one training example.

    Raises :class:`UserError` for what is no text, has no indices, names an example twice or one that does not exist, or a
    label that is no class.
    """
    rows = _rows(data, name)
    header = [cell.strip().lower() for cell in rows[0][1]]
    places: dict[str, int] = dict(zip(COLUMNS, range(len(header)), strict=False))
    if not _is_number(header[0]):
        places = {column: header.index(column) for column in COLUMNS if column in header}
        if "index" not in places:
            column = next((column for column in PATHS if column in header), None)
            if column is None:
                also = " or “path,clean_label,note”" if paths else ""
                raise UserError(f"{name} has no column called index; its first line should be “index,clean_label,note”{also}.")
            rows = by_path(rows[1:], header.index(column), paths, name)
            places["index"] = 0
            places = {column: place + (column != "index") for column, place in places.items()}
        else:
            rows = rows[1:]
    if not rows:
        raise UserError(f"{name} names no training example.")
    known, labels, notes = set(class_names), dict[int, str](), dict[int, str]()
    lines: dict[int, int] = {}
    written = len(places) > 1
    for line, cells in rows:
        index = _index(_cell(cells, places, "index"), line, train_size, name)
        if index in lines:
            raise UserError(f"{name} names training example {index} twice, in lines {lines[index]} and {line}.")
        lines[index] = line
        if not written:
            continue
        if label := _cell(cells, places, "clean_label"):
            if label not in known:
                some = ", ".join(class_names[:12]) + (" …" if len(class_names) > 12 else "")
                raise UserError(
                    f"{name} has a clean_label that is no class, {label[:40]!r} in line {line}; the classes: {some}."
                )
            labels[index] = label
        if note := _cell(cells, places, "note"):
            notes[index] = note[:MAX_NOTE]
    return ForgetSet(tuple(sorted(lines)), (), labels, notes)


def write_csv(content: ForgetSet, paths: Sequence[str] = ()) -> str:
    """The set as CSV, with the columns that hold something; ``paths``: the names of all training examples, where they come
    from files, make a last column."""
    columns = [column for column, held in (("clean_label", content.labels), ("note", content.notes)) if held]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["index", *columns, *(["path"] if paths else [])])
    written = {"clean_label": content.labels, "note": content.notes}
    for index in content.indices:
        cells = [written[column].get(index, "") for column in columns]
        cells += [paths[index]] if paths else []
        writer.writerow([index, *map(neutral_cell, cells)])
    return text.getvalue()


def _rows(data: bytes, name: str) -> list[tuple[int, list[str]]]:
    """Line number and cells of every line that is not empty."""
    if len(data) > MAX_BYTES:
        raise UserError(f"{name} is larger than {MAX_BYTES >> 20} MB; that is no forget set.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text (byte {error.start}).") from None
    if text.count("\n") > MAX_ROWS + 1:
        raise UserError(f"{name} has more than {MAX_ROWS:,} lines; that is no forget set.")
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                rows.append((reader.line_num, [plain_cell(cell) for cell in cells]))
    except csv.Error as error:
        raise UserError(f"{name} is not valid CSV in line {reader.line_num}: {error}.") from None
    if not rows:
        raise UserError(f"{name} is empty.")
    return rows


def _cell(cells: list[str], places: dict[str, int], column: str) -> str:
    place = places.get(column)
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _is_number(text: str) -> bool:
    return text.lstrip("+-").replace(".", "", 1).isdecimal()


def _index(text: str, line: int, train_size: int, name: str) -> int:
    # At most 12 digits: int() refuses thousands of them with an error of its own.
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 12):
        raise UserError(f"{name} has an index that is no whole number, {text[:40]!r} in line {line}.")
    index = int(text)
    if not 0 <= index < train_size:
        raise UserError(f"{name} names training example {index} in line {line}, but there are {train_size:,}, numbered from 0.")
    return index
