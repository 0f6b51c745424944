"""Text tables as people and programs write them: encoding, separator, a first line that names the columns, cells beyond it."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from unlearn_core.errors import UserError

SEPARATORS: Final = ",;\t|"
PATHS: Final = (
    "path", "file", "filename", "image", "file_name", "filepath", "file_path", "img_path", "image_path", "image_file",
    "image_name", "img_name", "img_file", "img", "imgpath", "imagepath", "image_filename", "relative_path", "rel_path",
    "full_path", "fullpath", "abs_path", "absolute_path", "fname", "fpath", "files", "images", "paths",
)  # fmt: skip
"""What a column of paths may be called; where several are there, the first of these counts."""
GIVEN: Final = ("given_label", "given", "noisy_label", "observed_label", "original_label")
"""What a column of labels as the data carry them may be called, beside "label"."""
CLEAN: Final = (
    "clean_label", "clean", "true_label", "correct_label", "corrected_label", "right_label", "fixed_label", "new_label",
    "verified_label", "gold_label", "ground_truth",
)  # fmt: skip
"""What a column of right labels may be called."""
MISSING: Final = frozenset({"nan", "<na>", "nat", "null", "none", "n/a", "#n/a"})
"""What programs write for a value that is not there."""
TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE: Final = frozenset({"false", "f", "no", "n", "0", "0.0"})
_HEAD = 4096
_SEP = re.compile(r'\s*"?sep=(.)"?\s*$', re.IGNORECASE)
_WHOLE = re.compile(r"([+-]?\d{1,15})\.0+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)

Rows = list[tuple[int, list[str]]]
"""Line number and cells of every line that is not empty."""


@dataclass(frozen=True)
class Table:
    """``names``: of the columns, as :func:`plain_name` writes them. ``cells``: one list per row, as long as ``names``.
    ``lines``: the line of each row. ``written``: the first line as it is, for sentences. ``unnamed``: whether the rows have a
    first cell that the first line does not name."""

    names: tuple[str, ...]
    cells: list[list[str]]
    lines: list[int]
    written: tuple[str, ...]
    unnamed: bool = False

    def place(self, wanted: Iterable[str]) -> int | None:
        """The first column that has one of these names, the most wanted first; None where there is none."""
        return next((self.names.index(name) for name in wanted if name in self.names), None)

    def column(self, place: int) -> list[str]:
        """All cells of one column."""
        return [cells[place] for cells in self.cells]


def read_rows(file: IO[bytes], where: str, most: int) -> Rows:
    """Rows of a text table, cells without surrounding spaces; at most one row more than ``most`` are read.

    UTF-8 and UTF-16 are told apart by their first bytes. A first line ``sep=;`` names the separator, else the first line that
    is not empty shows it. Raises :class:`UserError` for what is no such text.
    """
    head = file.read(_HEAD)
    file.seek(0)
    kind = _encoding(head)
    try:
        return list(itertools.islice(_rows(io.TextIOWrapper(file, kind, newline=""), where), most + 1))
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where} is not {'UTF-8' if kind == 'utf-8-sig' else 'UTF-16'} text (byte {error.start:,}); save it as UTF-8."
        ) from None
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror or error}.") from None


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = set(head[0::2]), set(head[1::2])
    if len(head) >= 8 and (even == {0}) != (odd == {0}):  # plain letters in two bytes each, without a mark in front
        return "utf-16-be" if even == {0} else "utf-16-le"
    return "utf-8-sig"


def _rows(text: IO[str], where: str) -> Iterator[tuple[int, list[str]]]:
    first, skipped = text.readline(), 0
    while first and not first.strip():
        first, skipped = text.readline(), skipped + 1
    told = _SEP.match(first)
    separator = told[1] if told else max(SEPARATORS, key=first.count)
    lines: Iterable[str] = text if told else itertools.chain([first], text)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != " ")
    skipped += told is not None
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(cells):
                yield skipped + reader.line_num, cells
    except csv.Error as error:
        raise UserError(f"{where} is not valid CSV in line {skipped + reader.line_num}: {error}.") from None


def tables(rows: Rows, where: str) -> list[Table]:
    """What rows with a first line of names may mean: one table, or two where it cannot be told whether the rows end with a
    separator too many or begin with a cell that has no name; then the caller looks at what the cells hold.

    Raises :class:`UserError` for rows that do not fit the first line.
    """
    header = rows[0][1]
    width, longest = len(header), max(len(cells) for _, cells in rows)
    if longest <= width:
        return [_table(header, rows[1:])]
    found = []
    long = next((line for line, cells in rows[1:] if any(cells[width:])), None)
    if long is None:
        found.append(_table(header, rows[1:]))
    if all(len(cells) > width and not any(cells[width + 1 :]) for _, cells in rows[1:]):
        found.append(_table(["", *header], rows[1:], True))
    if not found:
        count = next(len(cells) for line, cells in rows[1:] if line == long)
        raise UserError(does_not_fit(where, long or 0, count, width))
    return found


def does_not_fit(where: str, line: int, count: int, width: int) -> str:
    """The sentence for a row with more cells than the first line names."""
    return (
        f"{where} is no table: line {line} has {count:,} cells, but the first line names {width:,} columns (a text with a "
        "separator in it needs quotes)."
    )


def _table(header: Sequence[str], rows: Rows, unnamed: bool = False) -> Table:
    width = len(header)
    cells = [(row + [""] * (width - len(row)))[:width] for _, row in rows]
    return Table(tuple(map(plain_name, header)), cells, [line for line, _ in rows], tuple(header), unnamed)


def plain_name(text: str) -> str:
    """A column's name in lower case with underscores; "" for one that pandas calls ``Unnamed: 0``."""
    name = re.sub(r"[\s\-.]+", "_", unicodedata.normalize("NFC", text).strip().lower())
    return "" if re.fullmatch(r"unnamed:_?\d+|index_level_\d+|__index_level_\d+__", name) else name


def shown_names(written: Sequence[str], most: int = 8) -> str:
    """The columns of a table, for a sentence."""
    names = ", ".join(repr(name[:40]) if name else "one without a name" for name in written[:most])
    return (names or "none") + (f" and {len(written) - most:,} more" if len(written) > most else "")


def whole_numbers(*columns: Sequence[str]) -> list[list[str]]:
    """Labels as text with ``1.0`` written as ``1``, in all columns alike, where every number among them is whole: a program
    that stores missing values turns whole numbers into such ones."""
    numbers = {text for column in columns for text in column if _NUMBER.fullmatch(text)}
    if any("." in text and not _WHOLE.fullmatch(text) for text in numbers):
        return [list(column) for column in columns]
    return [[whole_number(text) for text in column] for column in columns]


def whole_number(text: str) -> str:
    """``3.0`` as ``3``; any other text as it is."""
    found = _WHOLE.fullmatch(text)
    return found[1] if found else text


def is_number(text: str) -> bool:
    """Whether this is written as a number."""
    return bool(_NUMBER.fullmatch(text))
