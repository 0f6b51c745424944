"""``--forget``: an edited forget set from a CSV file, or one of the store's named sets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unlearn_core.errors import UserError
from unlearn_core.typed_paths import typed_path

if TYPE_CHECKING:
    from unlearn_core.specs import Scalar, Scenario
    from unlearn_core.store import Store

ForgetOption = Annotated[
    str | None,
    typer.Option(
        "--forget",
        help="Use this forget set in place of the discovery rate: a CSV file (index or path, and perhaps clean_label and "
        "note), or the name or key of a set made on the page Forget set.",
    ),
]
FoundOption = Annotated[
    bool,
    typer.Option(
        "--found",
        help="Labels as they come: add no corruption. Needs --forget, or a table with a clean_label for every training image.",
    ),
]


def with_found(overrides: dict[str, Scalar], found: bool, amount: str | None) -> None:
    """``--found`` joins the overrides; raises :class:`UserError` beside an amount to corrupt."""
    if not found:
        return
    if amount is not None:
        raise UserError("--found adds no corruption, so --amount has no meaning beside it.")
    overrides["corruption.found"] = True


def with_forget(store: Store, scenario: Scenario, asked: str | None) -> Scenario:
    """The scenario with the forget set that ``asked`` names; raises :class:`UserError` for what cannot be read or found."""
    if asked is None:
        return scenario
    from unlearn_core.datasets import load_dataset
    from unlearn_core.sets import NamedSets, read_csv

    path = typed_path(asked, "the forget list", kept=False)
    if os.path.isfile(path) or path.suffix.lower() == ".csv":
        split = load_dataset(scenario.dataset, scenario.seed)
        size, classes = len(split.train), split.train.class_names
        content = read_csv(file_bytes(path), size, classes, f"The file {asked!r}", split.names)
    else:
        sets = NamedSets(store, scenario.corruption_key)
        content = sets.content(asked) or sets.now(sets.get(asked))
    return scenario.knowing(content.indices, content.labels)


def file_bytes(path: Path) -> bytes:
    """A forget list's bytes, at most one more than may be read; raises :class:`UserError` where there is no such file."""
    from unlearn_core.sets import MAX_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"The file {str(path)!r} cannot be read: {error.strerror or error}.") from None
