"""The tables, and how a store of an earlier version gets them: small steps forward, in one transaction, under a lock."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import uuid
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from unlearn_core.errors import UserError
from unlearn_core.store.database import Database
from unlearn_core.store.records import reason
from unlearn_core.support.working_title import WORKING_TITLE

SCHEMA = 3
READABLE = 2
"""From this version on a store can be read as it is: later ones added what only those who write look at."""

_meta = sa.MetaData()
about = sa.Table(WORKING_TITLE, _meta, sa.Column("name", sa.String(32), primary_key=True), sa.Column("value", sa.Text))
records = sa.Table(
    "records",
    _meta,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("token", sa.String(32), nullable=False),  # tells this row from an earlier or later one with the same key
    sa.Column("kind", sa.String(32), nullable=False, index=True),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("environment", sa.Text, nullable=False),
    sa.Column("files", sa.Text, nullable=False),
    sa.Column("created", sa.Float(53), nullable=False),
)
failures = sa.Table(
    "failures",
    _meta,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("created", sa.Float(53), nullable=False),
)
runs = sa.Table(
    "runs",
    _meta,
    # Grows with every row and is never used again, so that a reader can ask for what is new since its last look.
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("reader", sa.String(16), nullable=False),
    sa.Column("dataset", sa.String(255)),
    sa.Column("model", sa.String(255)),
    sa.Column("amount", sa.Float(53)),
    sa.Column("regularity", sa.Float(53)),
    sa.Column("discovery", sa.Float(53)),
    sa.Column("seed", sa.Integer),
    sa.Column("setting", sa.String(16)),
    sa.Column("method", sa.String(255)),
    sa.Column("spec", sa.String(16)),
    sa.Column("device", sa.String(32)),
    sa.Column("told", sa.String(16)),
    sa.Column("numbers", sa.LargeBinary),
    sa.Index("runs_by_dataset", "dataset", "number"),
    sa.Index("runs_by_task", "dataset", "seed", "regularity", "discovery", "method"),
    sqlite_autoincrement=True,
)
"""One small row for each record of kind "run": what cells and tables filter and group by, and what was measured. It says
nothing that the record does not say, so rows that are missing are made from the records (``run_rows.py``)."""
leases = sa.Table(
    "leases",
    _meta,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String(160), nullable=False),
    sa.Column("place", sa.String(255), nullable=False),
    sa.Column("beat", sa.Integer, nullable=False),
)
"""Which keys are being computed, and by which process (``leases.py``)."""


def _add_runs(db: sa.Connection) -> None:
    """Version 2 has the table of runs; its rows come with the first look at it."""
    number = "INTEGER PRIMARY KEY AUTOINCREMENT" if db.dialect.name == "sqlite" else "SERIAL PRIMARY KEY"
    blob = "BLOB" if db.dialect.name == "sqlite" else "BYTEA"
    double = "FLOAT" if db.dialect.name == "sqlite" else "DOUBLE PRECISION"
    db.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS runs (number {number}, key VARCHAR(64) NOT NULL UNIQUE, reader VARCHAR(16) NOT NULL, "
        f"dataset VARCHAR(255), model VARCHAR(255), amount {double}, regularity {double}, discovery {double}, seed INTEGER, "
        f"setting VARCHAR(16), method VARCHAR(255), spec VARCHAR(16), device VARCHAR(32), told VARCHAR(16), numbers {blob})"
    )
    db.exec_driver_sql("CREATE INDEX IF NOT EXISTS runs_by_dataset ON runs (dataset, number)")
    db.exec_driver_sql("CREATE INDEX IF NOT EXISTS runs_by_task ON runs (dataset, seed, regularity, discovery, method)")


def _add_leases(db: sa.Connection) -> None:
    """Version 3 has the table of leases, which starts empty."""
    db.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS leases (key VARCHAR(64) PRIMARY KEY, holder VARCHAR(160) NOT NULL, "
        "place VARCHAR(255) NOT NULL, beat INTEGER NOT NULL)"
    )


UPGRADES: dict[int, Callable[[sa.Connection], None]] = {1: _add_runs, 2: _add_leases}
"""Schema version → what turns it into the next one. Raise :data:`SCHEMA` and add an entry; data are never dropped.

A step is written in SQL of its own: the tables above may look different by the time it is needed."""


def bring_up_to_date(database: Database) -> str:
    """Create the tables or upgrade them; returns the store's id, which its folder of files carries as well.

    Raises :class:`UserError` for a store of a newer version, and when a step fails: nothing is changed then.
    """
    version, store_id = database.read(lambda db: (_version(db, database.name), _id(db)))
    if database.read_only:
        if version is None or version < READABLE or store_id is None:
            raise UserError(f"The store {database.name} is of an earlier version: open it once where it can be written to.")
        return store_id
    if version != SCHEMA or store_id is None:
        store_id = database.write(lambda db: _upgrade(db, database), key="schema")
    return store_id


def _upgrade(db: sa.Connection, database: Database) -> str:
    """Under the lock: another process may have done it in the meantime, so everything is looked up again."""
    version = _version(db, database.name)
    if version is None:
        _meta.create_all(db)
        db.execute(sa.insert(about).values(name="schema", value=str(SCHEMA)))
    elif version != SCHEMA:
        if database.sqlite:
            _back_up(Path(str(database.url.database)), version)
        for step in range(version, SCHEMA):
            UPGRADES[step](db)
        db.execute(sa.update(about).where(about.c.name == "schema").values(value=str(SCHEMA)))
    store_id = _id(db)
    if store_id is None:
        store_id = uuid.uuid4().hex
        db.execute(sa.insert(about).values(name="id", value=store_id))
    return store_id


def _version(db: sa.Connection, name: str) -> int | None:
    """The schema of the tables that are there, None where there are none; a version that is not known is refused."""
    text = _about(db, "schema")
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"The store {name} says it has schema {text!r}, which no version of Eunoe has.")
    if int(text) > SCHEMA:
        raise UserError(f"The store {name} was made by a newer version of Eunoe (schema {text}, this one knows {SCHEMA}).")
    return int(text)


def _id(db: sa.Connection) -> str | None:
    return _about(db, "id")


def _about(db: sa.Connection, name: str) -> str | None:
    if not sa.inspect(db).has_table(about.name):
        return None
    return db.execute(sa.select(about.c.value).where(about.c.name == name)).scalar()


def _back_up(path: Path, version: int) -> None:
    """Copy the database beside itself before it is changed. The caller's write lock keeps it as it is meanwhile."""
    kept = path.with_name(f"{path.stem}.version-{version}{path.suffix}")
    temporary = kept.with_name(f"{kept.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        temporary.touch(stat.S_IMODE(path.stat().st_mode))  # the copy is as private as what is copied
        with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(temporary)) as copy:
            source.backup(copy)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(kept)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise UserError(f"The store was not upgraded, its copy {kept} cannot be written: {reason(error)}.") from None
