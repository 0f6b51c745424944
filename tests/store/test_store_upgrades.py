"""A store of an earlier version: opened as it is, upgraded once, copied first, and refused where it is newer."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from postgresserver import Server
from storetools import KEY, WEIGHTS, database_of, put
from upkeeptools import plant

from unlearn_core.engine.lease import has_ended
from unlearn_core.errors import UserError
from unlearn_core.store import Store, schema
from unlearn_core.store.upkeep import verify

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
NOW = schema.SCHEMA
EARLIER = range(1, NOW)

UPGRADE = """
import sys, time
from unlearn_core.store import Store, schema
def step(db):
    time.sleep(0.5)
    db.exec_driver_sql("ALTER TABLE records ADD COLUMN note TEXT")
schema.UPGRADES[schema.SCHEMA] = step
schema.SCHEMA += 1
store = Store.open(sys.argv[1])
assert store.get("0123456789abcdef") is not None
"""


def old_store(kind: str, folder: Path, request: pytest.FixtureRequest, version: int = 1) -> str:
    """A store as the code of this version of the schema left it: its rows as SQL, its files as they are."""
    kept = HERE / f"version{version}"
    statements = (kept / "lethe.sql").read_text()
    folder.mkdir()
    shutil.copytree(kept / "artifacts", folder / "artifacts")
    if kind == "sqlite":
        database = sqlite3.connect(folder / "lethe.sqlite")
        database.executescript(statements)
        database.close()
        return str(folder)
    server: Server = request.getfixturevalue("server")
    place = server.new_store(folder / "artifacts")
    path = place.partition("search_path%3D")[2].partition("&")[0]
    with server.connect() as connection:
        connection.execute(f"SET search_path = {path}")
        connection.execute(for_postgresql(statements))
    return place


def for_postgresql(statements: str) -> str:
    """The same tables and rows in PostgreSQL's words; the numbers that it gives itself go on after those that are there."""
    lines = [line for line in statements.splitlines() if "sqlite_sequence" not in line]
    text = re.sub(r"X'([0-9A-F]*)'", r"'\\x\1'", "\n".join(lines))
    text = text.replace("INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", "SERIAL PRIMARY KEY").replace("BLOB", "BYTEA")
    after = "SELECT setval(pg_get_serial_sequence('runs', 'number'), (SELECT max(number) FROM runs));\nCOMMIT;"
    return text.replace("COMMIT;", after) if "CREATE TABLE runs" in text else text


@pytest.fixture(params=["sqlite", "postgresql"])
def version_1(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return old_store(request.param, tmp_path / "old", request)


@pytest.fixture(params=[(kind, version) for version in EARLIER for kind in ("sqlite", "postgresql")], ids=str)
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of each earlier version on each database."""
    kind, version = request.param
    return old_store(kind, tmp_path / "old", request, version)


def columns(store: Store) -> set[str]:
    with database_of(store) as database:
        return database.read(lambda db: {column["name"] for column in sa.inspect(db).get_columns("records")})


def sound(store: Store) -> None:
    """Everything that the fixture holds is there."""
    assert [record.key for record in store.find()][:2] == [KEY, "fedcba9876543210"]
    assert np.array_equal(store.arrays(KEY, "weights")["layer.weight"], WEIGHTS["layer.weight"])
    failure = store.failure("a" * 16)
    assert failure is not None
    assert failure.message == "It broke."


def test_there_is_a_store_of_each_earlier_version() -> None:
    assert {path.name for path in HERE.glob("version*")} == {f"version{number}" for number in EARLIER}
    assert set(schema.UPGRADES) == set(EARLIER)


def test_a_store_of_an_earlier_version_is_opened(earlier: str) -> None:
    for _ in range(2):
        store = Store.open(earlier)
        sound(store)
        put(store, "new")
        store.delete("new")
        assert store.leases.take("key", "one", "here 1 0") is None
        store.leases.drop("key", "one")
        assert verify(store, has_ended).sound
        store.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_rows_of_runs_of_version_2_are_kept(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    """They are not made anew, and those that come later have higher numbers."""
    store = Store.open(old_store(kind, tmp_path / "old", request, 2))
    (row,) = store.runs.changes().added
    assert (row.number, row.dataset, row.seed, row.method) == (2, "blobs", 3, "finetune")
    healed, utility = np.frombuffer(row.numbers)
    assert np.isnan(healed)
    assert utility == 0.25
    plant(store)
    assert [later.number for later in store.runs.changes().added][1] > 2
    store.close()


def test_an_older_schema_is_upgraded_once(version_1: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []

    def add(name: str, db: sa.Connection) -> None:
        steps.append(name)
        db.exec_driver_sql(f"ALTER TABLE records ADD COLUMN {name} TEXT")

    monkeypatch.setitem(schema.UPGRADES, NOW, lambda db: add("note", db))
    monkeypatch.setitem(schema.UPGRADES, NOW + 1, lambda db: add("author", db))
    monkeypatch.setattr(schema, "SCHEMA", NOW + 2)
    for _ in range(2):
        store = Store.open(version_1)
        sound(store)
        assert {"note", "author"} <= columns(store)
        store.close()
    assert steps == ["note", "author"]


def test_two_processes_upgrade_at_once(version_1: str) -> None:
    both = [subprocess.Popen([sys.executable, "-c", UPGRADE, version_1], cwd=ROOT, stderr=subprocess.PIPE) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    with pytest.raises(UserError, match=rf"newer version of Eunoe \(schema {NOW + 1}, this one knows {NOW}\)\.$"):
        Store.open(version_1)


def test_a_sqlite_file_is_copied_before_it_is_upgraded(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Path(old_store("sqlite", tmp_path / "old", request))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "SCHEMA", 1)
        Store.open(place, sweep=False).close()  # as version 1 did: the store gets its id
    before = {path.name for path in place.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(schema, "SCHEMA", NOW + 1)
        patch.setitem(schema.UPGRADES, NOW, lambda db: db.exec_driver_sql("DROP TABLE failures"))
        Store.open(place).close()
    assert {path.name for path in place.iterdir()} - before == {"lethe.version-1.sqlite"}
    for path in place.glob("lethe.sqlite*"):
        path.unlink()
    (place / "lethe.version-1.sqlite").rename(place / "lethe.sqlite")
    sound(Store.open(place))


def test_without_room_for_the_copy_nothing_is_upgraded(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Path(old_store("sqlite", tmp_path / "old", request))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(schema, "SCHEMA", NOW + 1)
        patch.setitem(schema.UPGRADES, NOW, lambda db: db.exec_driver_sql("DROP TABLE failures"))
        patch.setattr(schema.os, "fsync", full)
        with pytest.raises(UserError, match=r"not upgraded, its copy .* cannot be written: No space left on device\.$"):
            Store.open(place)
    assert not list(place.glob("*version*"))
    sound(Store.open(place))


def test_a_failed_upgrade_changes_nothing(version_1: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(db: sa.Connection) -> None:
        db.exec_driver_sql("ALTER TABLE records ADD COLUMN note TEXT")
        db.exec_driver_sql("ALTER TABLE nowhere ADD COLUMN note TEXT")

    with monkeypatch.context() as patch:
        patch.setattr(schema, "SCHEMA", NOW + 1)
        patch.setitem(schema.UPGRADES, NOW, broken)
        with pytest.raises(UserError, match=r"cannot be used: .*nowhere"):
            Store.open(version_1)
    store = Store.open(version_1)
    sound(store)
    assert "note" not in columns(store)
    store.close()


@pytest.mark.parametrize(("version", "why"), [("99", "newer version"), ("0", "no version"), ("one", "no version")])
def test_an_unknown_schema_is_refused_untouched(store: Store, version: str, why: str) -> None:
    put(store)
    write = sa.update(schema.about).where(schema.about.c.name == "schema")
    with database_of(store) as database:
        database.write(lambda db: db.execute(write.values(value=version)))
    with pytest.raises(UserError, match=why) as caught:
        Store.open(store.location)
    assert "\n" not in str(caught.value)
    with database_of(store) as database:
        database.write(lambda db: db.execute(write.values(value=str(NOW))))
    assert Store.open(store.location).get(KEY) is not None
