"""Where a call of the Python door computes and keeps its results: the same places as the command line's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unlearn_core.engine import Engine
    from unlearn_core.store import Store


def open_store(store: Store | str | Path | None) -> Store:
    """A store as it is, or the one at a folder or a database address; None: ``$UNLEARN_STORE``, or the user's data folder."""
    from unlearn_core.store import Store

    return store if isinstance(store, Store) else Store.open(store)


@contextmanager
def open_engine(store: Store, address: str, workers: int | None, device: str) -> Iterator[Engine]:
    """The engine that is asked for; what runs is cancelled at the end, and what is stored stays."""
    from unlearn_core.engine import Engine

    machine = Engine(store, address=address, workers=workers, device=device)
    try:
        yield machine
    finally:
        machine.close()
