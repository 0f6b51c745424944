"""``--forget``: an edited forget set from a CSV file, or one of the store's named sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unlearn_core.errors import UserError

if TYPE_CHECKING:
    from unlearn_core.specs import Scenario
    from unlearn_core.store import Store

ForgetOption = Annotated[
    str | None,
    typer.Option(
        "--forget",
        help="Use this forget set in place of the discovery rate: a CSV file (index[,clean_label][,note]), or the name or key "
        "of a set made on the page Forget set.",
    ),
]


def with_forget(store: Store, scenario: Scenario, asked: str | None) -> Scenario:
    """The scenario with the forget set that ``asked`` names; raises :class:`UserError` for what cannot be read or found."""
    if asked is None:
        return scenario
    from unlearn_core.datasets import load_dataset
    from unlearn_core.sets import NamedSets, read_csv

    path = Path(asked).expanduser()
    if path.is_file() or path.suffix.lower() == ".csv":
        train = load_dataset(scenario.dataset, scenario.seed).train
        return scenario.knowing(read_csv(_bytes(path), len(train), train.class_names, f"The file {asked!r}").indices)
    sets = NamedSets(store, scenario.corruption_key)
    content = sets.content(asked) or sets.now(sets.get(asked))
    return scenario.knowing(content.indices)


def _bytes(path: Path) -> bytes:
    from unlearn_core.sets import MAX_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"The file {str(path)!r} cannot be read: {error.strerror or error}.") from None
