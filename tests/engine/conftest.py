"""A store and an engine whose stages run in threads of the test's own process; clusters are made where they are tested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.dummy import RUNNER
from unlearn_core.engine import Engine
from unlearn_core.engine.backends import local_cluster
from unlearn_core.store import Store


@pytest.fixture(scope="module", autouse=True)
def _light_workers() -> Iterator[None]:
    """Workers that are started here import what these stages need, and no torch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_cluster, "PRELOAD", RUNNER.partition(":")[0])
        yield


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def engine(store: Store) -> Iterator[Engine]:
    made = Engine(store, address="inline", runner=RUNNER)
    yield made
    made.close()
