"""The same tests on SQLite and on a PostgreSQL server, which this test run starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresserver import Server, binaries
from upkeeptools import plant

from unlearn_core.store import Store
from unlearn_core.store.upkeep import export_store


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="the package psycopg is not installed (requirements-dev.txt)")
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    made = Server(programs)
    yield made
    made.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store."""
    if request.param == "sqlite":
        return str(tmp_path / "store")
    made: Server = request.getfixturevalue("server")
    address: str = made.new_store(tmp_path / "files")
    return address


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    made = Store.open(place)
    yield made
    made.close()


@pytest.fixture
def archive(store: Store, tmp_path: Path) -> Path:
    """A planted store as one file."""
    plant(store)
    export_store(store, tmp_path / "archive.zip")
    return tmp_path / "archive.zip"


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """Another store, which is empty."""
    return Store.open(tmp_path / "other")
