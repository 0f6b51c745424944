"""``--forget`` and ``--trusted``: what a person knows to be wrong or right, from CSV files or the store's named sets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from unlearn_core.cli.options import say
from unlearn_core.errors import UserError
from unlearn_core.support.typed_paths import typed_path

if TYPE_CHECKING:
    from unlearn_core.forget_sets.in_use import InUse
    from unlearn_core.specs import Scenario
    from unlearn_core.store import Store

LISTS = (".csv", ".tsv", ".txt")
"""Endings of a list's name; anything else that is no file is the name of a stored set."""


def with_forget(store: Store, scenario: Scenario, asked: str | None) -> Scenario:
    """The scenario with the forget set that ``asked`` names, on data whose training part holds what it names; what was guessed,
    moved or left out is said on stderr. Raises :class:`UserError` for what cannot be read or found."""
    if asked is None:
        return scenario
    from unlearn_core.forget_sets import in_use as lists

    path = typed_path(asked, "the forget list", kept=False)
    if os.path.isfile(path) or path.suffix.lower() in LISTS:
        found = read_file(scenario, path, asked)
    else:
        sets = lists.sets_of(store, scenario)
        found = lists.use_set(scenario, sets.content(asked) or sets.now(sets.get(asked)))
    for sentence in found.said:
        say(sentence)
    return found.scenario


def with_trusted(scenario: Scenario, asked: str | None) -> Scenario:
    """The scenario in which the examples of this CSV file count as checked and right; what was left out is said on stderr."""
    if asked is None:
        return scenario
    from unlearn_core.datasets import load_dataset
    from unlearn_core.forget_sets import in_use as lists
    from unlearn_core.forget_sets import read_list

    data = file_bytes(typed_path(asked, "the list of checked examples", kept=False))
    classes = load_dataset(scenario.dataset, scenario.seed).train.class_names
    found, said = lists.trusting(scenario, read_list(data, lists.roster_of(scenario), classes, f"The file {asked!r}"))
    for sentence in said:
        say(sentence)
    return found


def read_file(scenario: Scenario, path: Path, asked: str) -> InUse:
    """The scenario with a forget list from a file, called as ``asked``; raises :class:`UserError` for what cannot be read."""
    from unlearn_core.datasets import load_dataset
    from unlearn_core.forget_sets import in_use as lists
    from unlearn_core.forget_sets import read_list

    data, roster = file_bytes(path), lists.roster_of(scenario)
    classes = load_dataset(scenario.dataset, scenario.seed).train.class_names
    return lists.use(scenario, read_list(data, roster, classes, f"The file {asked!r}"))


def file_bytes(path: Path) -> bytes:
    """A forget list's bytes, at most one more than may be read; raises :class:`UserError` where there is no such file."""
    from unlearn_core.forget_sets import MAX_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"The file {str(path)!r} cannot be read: {error.strerror or error}.") from None
