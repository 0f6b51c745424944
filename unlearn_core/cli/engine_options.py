"""Where a command computes and keeps its results: the options, the store and the engine that they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from unlearn_core.cli.options import Device, DeviceOption, StoreOption, WorkersOption
from unlearn_core.engine import Engine

if TYPE_CHECKING:
    from unlearn_core.store import Store


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """The options of every command that computes stages."""

    engine: Annotated[
        str,
        typer.Option("--engine", help="local (worker processes), inline (this process) or a Dask scheduler: tcp://host:8786."),
    ] = "local"
    workers: WorkersOption = None
    store: StoreOption = None
    device: DeviceOption = Device.auto

    def make_engine(self, store: Store | Callable[[], Store]) -> Engine:
        """The engine that is asked for; the caller closes it."""
        return Engine(store, address=self.engine, workers=self.workers, device=self.device.value)

    @contextmanager
    def open(self) -> Iterator[tuple[Store, Engine]]:
        """The store, and the engine on it, which is closed at the end."""
        from unlearn_core.store import Store

        store = Store.open(self.store)
        machine = self.make_engine(store)
        try:
            yield store, machine
        finally:
            machine.close()
