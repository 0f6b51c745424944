"""Labels in a forget list: by name or by number, and whether they are what the images carry or what would be right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unlearn_core.datasets.files.names import compose
from unlearn_core.datasets.files.text_tables import MISSING, Table, whole_number
from unlearn_core.errors import UserError
from unlearn_core.forget_sets.columns import Places

Named = Sequence[tuple[int, int]]
"""Row of the table and position of the image that it names."""


class Classes:
    """The classes by what a list may call them: the name, or its number in the order of the classes where no name is one."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._by_name = {compose(name): k for k, name in enumerate(names)}
        self._counted = not any(name.isdecimal() for name in names)
        self.numbers_used = False

    def read(self, text: str) -> int | None:
        """The class, -1 for a label that is not known, None for what is no class."""
        text = compose(text)
        for written in (text, whole_number(text)):
            if written in self._by_name:
                return self._by_name[written]
        if not text or text.lower() in MISSING:
            return -1
        number = whole_number(text)
        if self._counted and number.isascii() and number.isdigit() and len(number) < 7 and int(number) < len(self.names):
            self.numbers_used = True
            return int(number)
        return None

    def describe_numbers(self) -> list[str]:
        """How numbers among the labels were read, if there were any."""
        if not self.numbers_used:
            return []
        shown = ", ".join(f"{k} is {name!r}" for k, name in enumerate(self.names[:3]))
        return [f"Labels that are numbers count the classes from 0: {shown}{', …' if len(self.names) > 3 else ''}."]

    def refuse(self, text: str, column: str, line: int, where: str) -> UserError:
        """The sentence for what is no class."""
        some = ", ".join(self.names[:12]) + (" …" if len(self.names) > 12 else "")
        alike = next((name for name in self.names if name.casefold() == text.casefold()), None)
        hint = f" (did you mean {alike!r}?)" if alike else ""
        return UserError(f"{where} has a {column} that is no class, {text[:40]!r} in line {line}{hint}; the classes: {some}.")


def right_labels(
    table: Table, places: Places, named: Named, carried: np.ndarray, classes: Classes, where: str
) -> tuple[dict[int, str], list[str]]:
    """Right labels by row, and what is said about how they were found.

    ``carried``: the label of every image as the data have it. A column "label" beside one of given labels is the right label.
    Alone it is what the images carry where it says the same for all of them, the right label where it differs for all, and
    refused else.
    """
    place, said = _right_column(table, places, named, carried, classes, where)
    labels: dict[int, str] = {}
    for row, _ in named if place is not None else ():
        text = table.cells[row][place] if place is not None else ""
        read = classes.read(text)
        if read is None:
            column = "clean_label" if place == places.right else repr(table.written[place or 0])
            raise classes.refuse(text, column, table.lines[row], where)
        if read >= 0:
            labels[row] = classes.names[read]
    return labels, said


def _right_column(
    table: Table, places: Places, named: Named, carried: np.ndarray, classes: Classes, where: str
) -> tuple[int | None, list[str]]:
    """Which column holds the right labels, None where none does, and what was taken for it, in sentences."""
    place, label = places.right, places.label
    if place is not None or label is None:
        return place, []
    name = table.written[label]
    if places.given is not None:
        return label, [f"The column {name!r} beside {table.written[places.given]!r} is taken as the right label."]
    same = [classes.read(table.cells[row][label]) == carried[position] for row, position in named]
    filled = [bool(table.cells[row][label]) for row, _ in named]
    agree = sum(one for one, has_text in zip(same, filled, strict=True) if has_text)
    if agree == sum(filled):
        sentence = f"The column {name!r} holds the labels that the images carry, so no right label is given."
        return None, [sentence] if agree else []
    if agree:
        raise UserError(
            f"{where} has a column {name!r} that is what the image carries in {agree:,} rows and something else in "
            f"{sum(filled) - agree:,}; call it clean_label if it is the right label, given_label if not."
        )
    return label, [f"The column {name!r} differs from what every listed image carries and is taken as the right label."]


def check_given(
    table: Table, places: Places, everything: Named, carried: np.ndarray, classes: Classes, names: Sequence[str], where: str
) -> list[str]:
    """Compare a column of given labels with what the images carry: images named by number must agree, else the numbers count
    something else; of those named by path it is said how many differ."""
    place = places.given
    if place is None and places.right is not None:
        place = places.label
    if place is None:
        return []
    wrong = []
    for row, position in everything:
        read = classes.read(table.cells[row][place])
        if read != carried[position] and read != -1:
            wrong.append((row, position))
    if not wrong:
        return []
    row, position = wrong[0]
    what = names[position] if names else f"example {position}"
    example = f"{table.cells[row][place][:40]!r} for {what[-60:]!r}, which carries {classes.names[carried[position]]!r}"
    column = table.written[place]
    if places.path is None:
        raise UserError(
            f"{where} has another {column} than the image with that number in {len(wrong):,} of {len(everything):,} rows, "
            f"first in line {table.lines[row]} ({example}), so its numbers count something else; name the images by "
            "their paths."
        )
    return [f"In {len(wrong):,} rows {column} is not the label that the image carries now, for example {example}."]
