"""A forget list from a file: which images it names, by path or by number, with right labels and notes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unlearn_core.datasets import UNREADABLE, Roster
from unlearn_core.datasets.files.text_tables import Rows, Table, read_rows, whole_number
from unlearn_core.errors import UserError
from unlearn_core.forget_sets.columns import Places, as_table, chosen_rows, find_places
from unlearn_core.forget_sets.content import MAX_NOTE
from unlearn_core.forget_sets.image_paths import match, some
from unlearn_core.forget_sets.labels import Classes, check_given, right_labels
from unlearn_core.support.escaping import plain_cell

MAX_BYTES = 64 * 2**20
MAX_ROWS = 1_000_000


@dataclass(frozen=True)
class Listed:
    """What a list names. ``positions``: in the roster, ascending. ``labels``, ``notes``: by position. ``said``: one sentence
    for everything that was guessed, joined or left out. ``ends``: the first and the last image in the order of the list."""

    positions: tuple[int, ...]
    labels: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[int, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    ends: tuple[int, int] | None = None


def read_list(data: bytes, roster: Roster, class_names: Sequence[str], name: str = "The file") -> Listed:
    """What a list names: a CSV with a column ``path`` or ``index`` (a path counts more than a number), perhaps right labels and
    notes; a frame of cleanlab; or bare numbers or paths.

    Numbers count the images that are no test images, in the order of the roster, from 0. Raises :class:`UserError` for what
    is no list, names nothing that is there, or contradicts itself or the data.
    """
    table = as_table(_rows(data, name), roster.names, name)
    places = find_places(table, len(roster.numbered), bool(roster.names), name)
    if not table.cells:
        raise UserError(f"{name} names no training example.")
    chosen = set(chosen_rows(table, places.flag, name))
    # Rows that are not meant still tell whether the numbers count what they should.
    counted = places.path is None and places.given is not None
    rows = list(range(len(table.cells))) if counted else sorted(chosen)
    positions, said = _positions(table, places, rows, roster, name)
    everything = [(row, k) for row, k in zip(rows, positions, strict=True) if k is not None]
    classes = Classes(class_names)
    said += check_given(table, places, everything, roster.labels, classes, roster.names, name)
    meant = [(row, k) for row, k in everything if row in chosen]
    labels, more = right_labels(table, places, meant, roster.labels, classes, name)
    said += more + classes.describe_numbers()
    if places.ignored:
        said.append(f"Columns that are not used: {', '.join(repr(column[:40]) for column in places.ignored[:5])}.")
    if places.flag is not None:
        count = len(table.cells)
        said.append(f"{table.written[places.flag]!r} marks {len(chosen):,} of {count:,} rows; only these are listed.")
    unread = [k for _, k in meant if roster.place[k] == UNREADABLE]
    if unread:
        said.append(f"{len(unread):,} of the listed images cannot be read and are left out: {roster.names[unread[0]][-60:]!r}.")
        meant = [(row, k) for row, k in meant if roster.place[k] != UNREADABLE]
    if not meant:
        raise UserError(f"{name} names no image that is there and can be read.")
    return _join_rows(table, places, meant, labels, said, name)


def _rows(data: bytes, name: str) -> Rows:
    if len(data) > MAX_BYTES:
        raise UserError(f"{name} is larger than {MAX_BYTES >> 20} MB; that is no forget set.")
    if data.count(b"\n") > MAX_ROWS + 1:
        raise UserError(f"{name} has more than {MAX_ROWS:,} lines; that is no forget set.")
    rows = read_rows(io.BytesIO(data), name, MAX_ROWS + 1)
    if not rows:
        raise UserError(f"{name} is empty.")
    return [(line, [plain_cell(cell) for cell in cells]) for line, cells in rows]


def _positions(
    table: Table, places: Places, rows: Sequence[int], roster: Roster, name: str
) -> tuple[list[int | None], list[str]]:
    """The image of every row, None for paths that are not there, and what is said about them."""
    lines = [table.lines[row] for row in rows]
    if places.path is None:
        numbered = roster.numbered
        if places.index is None:
            numbers = list(rows)
            said = [
                f"{name} has one row for each of the {len(numbered):,} images, so the number of a row is that of the image."
            ]
        else:
            cells = [table.cells[row][places.index] for row in rows]
            numbers = [_number(text, line, len(numbered), name) for text, line in zip(cells, lines, strict=True)]
            said = []
        if roster.numbering:
            said.append(f"The numbers in the list count the images {roster.numbering}, from 0.")
        return [int(numbered[number]) for number in numbers], said
    found = match([table.cells[row][places.path] for row in rows], lines, roster, name)
    said = []
    if found.lost:
        said.append(
            f"{len(found.lost):,} of the {len(rows):,} listed files are no images here and are left out: {some(found.lost)}."
        )
    if found.by_end:
        said.append(
            f"{found.by_end:,} of the listed files lie in another folder and are recognised by the end of their path, the "
            "folder and the file."
        )
    if found.of_both:
        said.append(
            f"{found.of_both:,} of the listed paths fit a training image and a test image; the training image is meant."
        )
    if places.index is not None:
        said += _against(table, places.index, rows, found.positions, roster)
    return found.positions, said


def _against(table: Table, index: int, rows: Sequence[int], positions: Sequence[int | None], roster: Roster) -> list[str]:
    """One sentence where numbers beside the paths mean other images. A number may count as a list without paths is counted,
    or as the pages count, training examples alone."""
    numbered, torn = roster.numbered, 0
    for row, position in zip(rows, positions, strict=True):
        text = whole_number(table.cells[row][index])
        if position is None or not text:
            continue
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else -1
        same = 0 <= number < len(numbered) and int(numbered[number]) == position
        torn += not (same or int(roster.place[position]) == number)
    if not torn:
        return []
    return [f"In {torn:,} of {len(rows):,} rows the number means another image than the path; the paths count."]


def _join_rows(
    table: Table, places: Places, meant: Sequence[tuple[int, int]], labels: Mapping[int, str], said: list[str], name: str
) -> Listed:
    """One entry per image: rows that name one again are joined, unless they contradict each other."""
    first: dict[int, int] = {}
    told: dict[int, str] = {}
    notes: dict[int, str] = {}
    again = 0
    for row, position in meant:
        note = table.cells[row][places.note] if places.note is not None else ""
        label = labels.get(row, "")
        if position in first:
            again += 1
            if label and told.get(position, label) != label:
                raise UserError(
                    f"{name} gives one image two right labels, {told[position][:40]!r} in line {table.lines[first[position]]} "
                    f"and {label[:40]!r} in line {table.lines[row]}."
                )
        first.setdefault(position, row)
        if label:
            told[position] = label
        if note:
            notes.setdefault(position, note[:MAX_NOTE])
    if again:
        said.append(f"{again:,} rows name an image that another row names already; each counts once.")
    return Listed(tuple(sorted(first)), told, notes, tuple(said), (meant[0][1], meant[-1][1]))


def _number(text: str, line: int, count: int, name: str) -> int:
    # At most 12 digits: int() refuses thousands of them with an error of its own.
    plain = whole_number(text)
    if not (plain.isascii() and plain.removeprefix("-").isdigit() and len(plain) <= 12):
        raise UserError(f"{name} has an index that is no whole number, {text[:40]!r} in line {line}.")
    index = int(plain)
    if not 0 <= index < count:
        raise UserError(f"{name} names training example {index} in line {line}, but there are {count:,}, numbered from 0.")
    return index
