"""Cards as a CSV file to fill in, and back: a line a card, with its answer and, for a mixed one, which are wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from unlearn_core.discovery.cards import Card
from unlearn_core.discovery.questions import ANSWERS, Answer
from unlearn_core.errors import UserError

COLUMNS = ("round", "card", "answer", "wrong", "shown")
MAX_BYTES, MAX_ROWS = 4_000_000, 20_000
"""A file of answers is no larger."""


@dataclass(frozen=True)
class AnswerRow:
    """``turn``: in which round of questions the card was shown, from 1; ``answer``: "" for none; ``wrong``: which of the shown
    are, None where that is not said."""

    turn: int
    card: int
    answer: str
    wrong: tuple[int, ...] | None
    shown: tuple[int, ...]

    def check(self) -> Answer:
        """The answer as one of the three."""
        return cast(Answer, self.answer)


def row_of(turn: int, card: Card) -> AnswerRow:
    """The line of a card that has no answer yet."""
    return AnswerRow(turn, card.number, "", None, tuple(int(index) for index in card.shown))


def write_answers(rows: Iterable[AnswerRow]) -> str:
    """Lines as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([row.turn, row.card, row.answer, _join(row.wrong or ()), _join(row.shown)])
    return text.getvalue()


def read_answers(data: bytes, what: str) -> list[AnswerRow]:
    """Lines of a file called ``what``; raises :class:`UserError` that names the line where one cannot be read."""
    if len(data) > MAX_BYTES:
        raise UserError(f"{what} is larger than {MAX_BYTES // 1_000_000} MB, too large for answers to cards.")
    try:
        text = data.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{what} is no CSV file in UTF-8 ({error}).") from None
    if len(lines) > MAX_ROWS:
        raise UserError(f"{what} has more than {MAX_ROWS:,} lines, too many for answers to cards.")
    header = [cell.strip().lower() for cell in lines[0]] if lines else []
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UserError(f"{what} lacks the column {missing[0]!r}; fill in the file that stands beside the cards.")
    body = [(k, line) for k, line in enumerate(lines[1:], start=2) if any(line)]
    rows = [_row(dict(zip(header, line, strict=False)), f"{what}, line {k}") for k, line in body]
    seen: set[tuple[int, int]] = set()
    for row in rows:
        if (row.turn, row.card) in seen:
            raise UserError(f"{what} answers card {row.card} twice in round {row.turn}.")
        seen.add((row.turn, row.card))
    return rows


def _delimiter(text: str) -> str:
    """Spreadsheets of some countries write semicolons."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _row(cells: dict[str, str], where: str) -> AnswerRow:
    answer = cells.get("answer", "").strip().lower()
    if answer and answer not in ANSWERS:
        raise UserError(f"{where}: an answer is wrong, right or mixed, or empty (got {answer!r}).")
    wrong, shown = (_numbers(cells.get(name, ""), f"{where}, {name}") for name in ("wrong", "shown"))
    if not shown:
        raise UserError(f"{where}: the column shown is empty; it says which examples the card has.")
    if strange := [index for index in wrong if index not in shown]:
        raise UserError(f"{where}: example {strange[0]} is called wrong, but it is not on the card.")
    if wrong and answer != "mixed":
        raise UserError(f"{where}: single examples are called wrong on a card whose answer is mixed.")
    turn, card = (_whole(cells.get(name, ""), f"{where}, {name}") for name in ("round", "card"))
    return AnswerRow(turn, card, answer, wrong or None, shown)


def _numbers(cell: str, where: str) -> tuple[int, ...]:
    return tuple(_whole(word, where) for word in cell.replace(",", " ").replace(";", " ").split())


def _whole(cell: str, where: str) -> int:
    if not (cell.strip().isascii() and cell.strip().isdigit()) or len(cell.strip()) > 12:
        raise UserError(f"{where}: a whole number is needed (got {cell.strip()[:40]!r}).")
    return int(cell)


def _join(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))
