"""The golden store unpacked for each file of tests, in the environment that the golden data were made in."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from goldencommands import PLAN
from goldentools import copy_store, within, write_images

from unlearn_core.specs import MethodSpec
from unlearn_core.store import Store


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What commands and links name as ``{folder}``: images and a plan."""
    found = Path(os.path.realpath(tmp_path_factory.mktemp("golden")))
    write_images(found / "images")
    (found / "plan.yaml").write_text(PLAN)
    return found


@pytest.fixture(scope="module")
def place(folder: Path, request: pytest.FixtureRequest) -> Path:
    """The golden store for the tests of one file to open: commands may add what they measure."""
    copied: Path = copy_store(folder / f"store of {request.module.__name__}")
    return copied


@pytest.fixture(scope="session")
def as_written(folder: Path) -> sqlite3.Connection:
    """The database as the code of then left it: it is read with plain SQL and never opened as a store."""
    return sqlite3.connect(copy_store(folder / "as-written") / "lethe.sqlite")


@pytest.fixture
def bare(folder: Path) -> Iterator[None]:
    """There is no store."""
    with within(folder, None):
        yield


@pytest.fixture
def store(folder: Path, place: Path) -> Iterator[Store]:
    with within(folder, place):
        opened = Store.open(place)
        yield opened
        opened.close()


@pytest.fixture
def stored_revisions(store: Store) -> dict[str, int]:
    """Method → the revision of its code that the golden store was written with."""
    specs = [MethodSpec.parse(record.spec["method"]) for record in store.find("run")]
    return {spec.name: spec.revision for spec in specs}
