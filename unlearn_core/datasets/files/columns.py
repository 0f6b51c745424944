"""Which column of a table of images is which, and what its cells mean: paths, given and right labels, the split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from unlearn_core.datasets.files.listing import HELD_OUT, SPLIT_NAMES, TEST, TRAIN
from unlearn_core.datasets.files.names import compose, some
from unlearn_core.datasets.files.splits import role_of
from unlearn_core.datasets.files.text_tables import (
    CLEAN,
    FALSE,
    GIVEN,
    MISSING,
    PATHS,
    TRUE,
    Table,
    is_number,
    shown_names,
    whole_numbers,
)
from unlearn_core.errors import UserError

LABELS: Final = (
    "label",
    "given_label",
    "given",
    "class",
    *GIVEN[2:],
    "class_name",
    "category",
    "target",
    "labels",
    "classes",
    "y",
)
SPLITS: Final = ("split", "subset")
"""Columns that are meant to hold the split: other values than those known are refused."""
MORE_SPLITS: Final = (
    "set", "fold", "partition", "phase", "data_split", "dataset_split", "train_test", "train_or_test", "usage", "part",
    "dataset", "mode", "stage", "group", "splits", "kfold",
)  # fmt: skip
"""Columns that often hold it: used where they do, else said not to be."""
TESTED: Final = ("is_test", "test", "istest", "is_testing", "in_test", "is_val", "is_valid", "is_validation", "holdout")
TRAINED: Final = ("is_train", "train", "istrain", "is_training", "in_train")
NAMES: Final = (*PATHS, *LABELS, *CLEAN, *SPLITS, *MORE_SPLITS, *TESTED, *TRAINED)
_FORMER: Final = {
    "path": ("path", "file", "filename", "image"),
    "label": ("label", "given_label", "given", "class"),
    "clean": ("clean_label", "clean", "true_label"),
}


@dataclass
class Columns:
    """``paths``, ``labels`` ("" where there is none), ``clean`` (None without such a column, "" where unknown), ``splits``
    (TRAIN, TEST or None, None without such a column): one per row. ``said``: sentences about what was guessed or left out.
    ``news``: how this reading differs from that of earlier versions, a word each."""

    paths: list[str]
    labels: list[str]
    clean: list[str] | None = None
    splits: list[int | None] | None = None
    said: list[str] = field(default_factory=list)
    news: set[str] = field(default_factory=set)


def read_columns(tables: Sequence[Table], exists: Callable[[str], bool], where: str) -> Columns:
    """The columns of the one table among ``tables`` whose paths exist. Raises :class:`UserError` without paths or labels, and
    for cells that contradict each other."""
    table = _one(tables, exists, where)
    path, label = _place(table, "path", PATHS, where), _place(table, "label", LABELS, where)
    clean = table.place(CLEAN)
    found = Columns(table.column(path), table.column(label), None if clean is None else table.column(clean))
    if table.unnamed and len(tables) > 1:
        found.said.append(
            f"The first line names {len(table.written) - 1} columns and the rows have one cell more, so the first cell is "
            f"taken as a row number without a name, and {table.written[path]!r} as column {path + 1}."
        )
    if len(tables) > 1 and not table.unnamed:
        found.news.add("separator")
    for place, role in ((path, "path"), (label, "label"), (clean, "clean")):
        if place is not None and table.written[place].strip().lower() not in _FORMER[role]:
            found.news.add(f"{role} {table.names[place]}")
    _one_given(table, label, clean, where)
    _tidy_labels(found, where)
    _split(table, found, where)
    return found


def _one(tables: Sequence[Table], exists: Callable[[str], bool], where: str) -> Table:
    """The table whose column of paths names files that are there."""
    if len(tables) == 1:
        return tables[0]
    fits = []
    for table in tables:
        place = table.place(PATHS)
        if place is not None and any(exists(text) for text in table.column(place)[:200] if text):
            fits.append(table)
    if len(fits) != 1:
        width = len(tables[0].written)
        raise UserError(
            f"{where} is no table: its rows have {width + 1} cells and the first line names {width} columns, "
            f"{shown_names(tables[0].written)}; name every column."
        )
    return fits[0]


def _place(table: Table, role: str, names: Sequence[str], where: str) -> int:
    place = table.place(names)
    if place is None:
        shown = shown_names(table.written, 5)
        raise UserError(f"{where} needs a column {role!r}; its columns are {shown}.")
    return place


def _one_given(table: Table, label: int, clean: int | None, where: str) -> None:
    """Refuse a column "label" beside another of given labels that says something else: one of the two is the right label."""
    other = table.place(GIVEN)
    if other is None or other == label or clean is not None:
        return
    differ = sum(a != b for a, b in zip(table.column(label), table.column(other), strict=True))
    if differ:
        raise UserError(
            f"{where} has the columns {table.written[label]!r} and {table.written[other]!r}, which differ in {differ:,} rows; "
            "call the one with the right labels clean_label."
        )


def _tidy_labels(found: Columns, where: str) -> None:
    """One name per class: whole numbers without ``.0``, accents in one way, missing values empty."""
    columns = [found.labels, *([found.clean] if found.clean is not None else [])]
    plain = [[compose(text) for text in column] for column in whole_numbers(*columns)]
    if plain != columns:
        found.news.add("labels")
        before, after = (len({text for column in both for text in column}) for both in (columns, plain))
        if after < before:
            what = f"{before - after:,} name{'s' if before - after > 1 else ''} of classes"
            found.said.append(f"{what} written in two ways, such as 1.0 and 1, or é as one character and as two, count once.")
        else:
            found.said.append("Labels written as 1.0 or with accents as characters of their own are called 1, or é as one.")
    found.labels = plain[0]
    if found.clean is not None:
        found.clean = plain[1]
    _missing(found)
    names = {text for text in found.labels if text}
    if found.clean is not None and any(found.clean) and names and not names & set(found.clean):
        right = {text for text in found.clean if text}
        raise UserError(
            f"{where} has labels ({some(sorted(names))}) and clean labels ({some(sorted(right))}) without a common name, so it "
            "is not known which are wrong; write both in the same way."
        )
    found.said += _alike(sorted(names))


def _missing(found: Columns) -> None:
    """Words for a missing value: left out among numbers and among clean labels, else a class of their own, which is said."""
    odd = sorted({text for text in found.labels if text.lower() in MISSING})
    others = [text for text in set(found.labels) if text and text not in odd]
    if odd and others and all(map(is_number, others)):
        found.labels = ["" if text in odd else text for text in found.labels]
        found.news.add("missing")
    elif odd:
        count = sum(text in odd for text in found.labels)
        found.said.append(
            f"{count:,} images have the label {some(odd)}, as programs write one that is missing; it counts as a class. Empty "
            "these cells if the labels are not known."
        )
    if found.clean is not None:
        unknown = {text for text in found.clean if text.lower() in MISSING} - set(found.labels)
        if unknown:
            count = sum(text in unknown for text in found.clean)
            found.said.append(f"{count:,} clean labels are {some(sorted(unknown))}, which counts as not known.")
            found.clean = ["" if text in unknown else text for text in found.clean]
            found.news.add("missing")


def _alike(names: Sequence[str]) -> list[str]:
    """One sentence about classes that differ in case or spaces alone."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(" ".join(name.casefold().split()), []).append(name)
    alike = [group for group in groups.values() if len(group) > 1]
    if not alike:
        return []
    shown = "; ".join(some(group) for group in alike[:3]) + (f"; and {len(alike) - 3:,} more" if len(alike) > 3 else "")
    return [f"These classes differ in upper and lower case or spaces alone and count as different ones: {shown}."]


def _split(table: Table, found: Columns, where: str) -> None:
    place = table.place(SPLITS)
    if place is not None and any(table.column(place)):
        halves = _halves(table.column(place))
        strange = sorted(text for text, half in halves.items() if text and half is None)
        if strange:
            raise UserError(f"{where} has the split {some(strange)}; known: {', '.join(SPLIT_NAMES)}.")
        found.splits = [halves[text] for text in table.column(place)]
        return
    ignored = []
    for name in (*MORE_SPLITS, *TESTED, *TRAINED):
        place = table.place((name,))
        if place is None or not any(table.column(place)):
            continue
        splits = _as_split(table.column(place), name)
        if splits is not None and found.splits is None:
            found.splits = splits
            found.news.add(f"split {name}")
            found.said.append(_read_halves(table.written[place], splits))
        elif splits is None or splits != found.splits:
            ignored.append((table.written[place], sorted(set(table.column(place)) - {""})))
    if ignored and found.splits is None:
        names = ", ".join(f"{name!r} (values {some(values)})" for name, values in ignored[:3])
        many = len(ignored) > 1
        found.said.append(
            f"The column{'s' if many else ''} {names} {'are' if many else 'is'} not used, and the test images are drawn at "
            "random; a column 'split' with train and test would say which they are."
        )
    elif ignored:
        said = ", ".join(repr(name) for name, _ in ignored[:3])
        found.said.append(f"{said} might say too which images are test images, but not in the same way, and is not used.")


def _halves(cells: Sequence[str]) -> dict[str, int | None]:
    """The half that each different cell means, by the words that folders are read by; None for anything else."""
    told = {text: role_of(text) for text in set(cells)}
    return {text: None if words else half for text, (half, words) in told.items()}


def _read_halves(column: str, splits: Sequence[int | None]) -> str:
    """The sentence for a column that was read as the split."""
    counts = {half: splits.count(half) for half in HELD_OUT if half in splits}
    if list(counts) == [TEST]:
        return f"The column {column!r} says which images are test images: {counts[TEST]:,} of them."
    held = ", ".join(f"{count:,} {HELD_OUT[half]} images" for half, count in counts.items())
    return f"The column {column!r} says which images are not trained on: {held}."


def _as_split(cells: Sequence[str], name: str) -> list[int | None] | None:
    """Halves from words, or from true and false; None for a column that says something else or puts all on one side."""
    words = _halves(cells)
    if name in (*TESTED, *TRAINED):
        yes, no = (TEST, TRAIN) if name in TESTED else (TRAIN, TEST)
        told = dict.fromkeys(TRUE, yes) | dict.fromkeys(FALSE, no)
        words = {text: told.get(text.lower()) for text in words}
    if any(text and half is None for text, half in words.items()):
        return None
    splits = [words[text] for text in cells]
    held = [half not in (None, TRAIN) for half in splits]
    return splits if any(held) and not all(held) else None
