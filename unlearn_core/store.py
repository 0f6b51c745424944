"""Results on disk or in a database: rows through SQLAlchemy, arrays as safetensors files beside them.

A file is complete before its row exists, and a row is trusted only while its files are there with their recorded size
and SHA-256. Several processes may write at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import exc

from unlearn_core._artifacts import Artifacts, FileEntry
from unlearn_core._records import Failure, MissingArtifact, Record, dump, reason, utc
from unlearn_core.errors import UserError

__all__ = ["Failure", "MissingArtifact", "Record", "Store"]

SCHEMA = 1
BUSY_SECONDS = 30.0
_CHUNK = 400  # keys in one SQL "IN", below every database's limit of parameters

_meta = sa.MetaData()
_about = sa.Table("lethe", _meta, sa.Column("name", sa.String(32), primary_key=True), sa.Column("value", sa.Text))
_records = sa.Table(
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
_failures = sa.Table(
    "failures",
    _meta,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("created", sa.Float(53), nullable=False),
)

UPGRADES: dict[int, Callable[[sa.Connection], None]] = {}
"""Schema version → what turns it into the next one. Raise :data:`SCHEMA` and add an entry; data are never dropped."""


class Store:
    """Records by key. Use :meth:`open`; ``location`` given to it in another process opens the same store."""

    def __init__(self, url: sa.URL, artifacts: Path, location: str) -> None:
        self.location = location
        self._artifacts = Artifacts(artifacts)
        self._where = url.render_as_string(hide_password=True)
        self._db = sa.create_engine(url, **_engine_options(url))
        if url.get_backend_name() == "sqlite":
            sa.event.listen(self._db, "connect", _prepare_sqlite)
            sa.event.listen(self._db, "begin", _begin_sqlite)

    @classmethod
    def open(cls, location: str | Path | None = None, *, sweep: bool = True) -> Store:
        """Open or create a store: a folder, an SQLAlchemy URL, or None for ``$UNLEARN_STORE`` or the user's data folder.

        ``sweep=False`` skips the repair, for a process that opens a store somebody else has just opened.
        Raises :class:`UserError` when the place cannot be used.
        """
        url, artifacts, text = _resolve(location)
        try:
            if url.get_backend_name() == "sqlite" and url.database:
                _make_folder(Path(url.database).parent)
            _make_folder(artifacts)
            store = cls(url, artifacts, text)
        except ImportError as error:
            raise UserError(f"The store's database driver is not installed: {reason(error)}.") from None
        store._upgrade()
        if sweep:
            store.sweep()
        return store

    @property
    def uploads(self) -> Path:
        """The folder for files that somebody hands over; it need not exist yet."""
        return self._artifacts.root.parent / "uploads"

    def close(self) -> None:
        """Close the database connections (they reopen when used)."""
        self._db.dispose()

    def get(self, key: str) -> Record | None:
        """The record of ``key``, or None; a record whose files are gone is dropped and counts as absent."""
        with self._read() as db:
            row = db.execute(sa.select(_records).where(_records.c.key == key)).mappings().first()
        return _record(row) if row is not None and self._trusted([row]) else None

    def has(self, keys: Iterable[str]) -> set[str]:
        """Those of ``keys`` that have a record with all of its files."""
        wanted, found = list(dict.fromkeys(keys)), set[str]()
        columns = sa.select(_records.c.key, _records.c.token, _records.c.files)
        for start in range(0, len(wanted), _CHUNK):
            with self._read() as db:
                query = columns.where(_records.c.key.in_(wanted[start : start + _CHUNK]))
                rows = db.execute(query).mappings().all()
            found.update(row["key"] for row in self._trusted(rows))
        return found

    def find(self, kind: str | None = None) -> list[Record]:
        """All records (of one kind), oldest first."""
        query = sa.select(_records).order_by(_records.c.created, _records.c.key)
        if kind is not None:
            query = query.where(_records.c.kind == kind)
        with self._read() as db:
            rows = db.execute(query).mappings().all()
        return [_record(row) for row in rows]

    def put(
        self,
        key: str,
        kind: str,
        spec: Mapping[str, Any],
        payload: Mapping[str, Any],
        environment: Mapping[str, Any],
        arrays: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    ) -> Record:
        """Store a result, one file per array group, and forget its failure. A key that is already there is kept.

        NaN and infinity become null: JSON has neither, and an undefined number is not a number. Raises
        :class:`UserError` when the disk or the database refuses; nothing is left behind then.
        """
        if (existing := self.get(key)) is not None:
            return existing
        entries: list[FileEntry] = []
        try:
            for name, group in (arrays or {}).items():
                entries.append(self._artifacts.write(key, name, group))
            self._insert(key, kind, spec, payload, environment, entries)
        except exc.IntegrityError:
            pass  # another process was first: its record counts
        except OSError as error:
            raise UserError(f"The store cannot write its files: {reason(error)}.") from None
        stored = self.get(key)
        self._remove_unreferenced(key, entries)
        if stored is None:
            raise UserError(f"The record {key} was removed while it was being written.")
        return stored

    def arrays(self, key: str, name: str) -> dict[str, np.ndarray]:
        """One array group of a record, verified; raises :class:`MissingArtifact` (and drops a damaged record)."""
        with self._read() as db:
            query = sa.select(_records.c.key, _records.c.token, _records.c.files).where(_records.c.key == key)
            row = db.execute(query).mappings().first()
        entry = next((e for e in _entries(row) if e.name == name), None) if row is not None else None
        if row is None or entry is None:
            raise MissingArtifact(f"The store has no {name} for {key}.")
        data = self._artifacts.read(entry)
        if data is None:
            self._drop(row)
            raise MissingArtifact(f"The stored {name} of {key} were damaged and have been dropped; run it again.")
        return data

    def delete(self, key: str) -> None:
        """Remove a record and its files, if there is one."""
        with self._read() as db:
            query = sa.select(_records.c.key, _records.c.token, _records.c.files).where(_records.c.key == key)
            row = db.execute(query).mappings().first()
        if row is not None:
            self._drop(row)

    def fail(self, key: str, kind: str, message: str, detail: str = "") -> None:
        """Remember why ``key`` failed: a sentence for people and a traceback; nothing if a record is there after all."""
        row = {"key": key, "kind": kind, "message": message, "detail": detail, "created": time.time()}
        with contextlib.suppress(exc.IntegrityError), self._write() as db:
            if db.execute(sa.select(_records.c.key).where(_records.c.key == key)).first() is None:
                db.execute(sa.delete(_failures).where(_failures.c.key == key))
                db.execute(sa.insert(_failures).values(row))

    def failure(self, key: str) -> Failure | None:
        """Why the last attempt at ``key`` failed, or None."""
        with self._read() as db:
            row = db.execute(sa.select(_failures).where(_failures.c.key == key)).mappings().first()
        return None if row is None else Failure(**dict(row) | {"created": utc(row["created"])})

    def clear_failure(self, key: str) -> None:
        """Forget a failure."""
        with self._write() as db:
            db.execute(sa.delete(_failures).where(_failures.c.key == key))

    def sweep(self) -> tuple[int, int]:
        """Drop rows whose files are missing or cut short, remove old orphan files; returns (rows, files) removed."""
        with self._read() as db:
            rows = db.execute(sa.select(_records.c.key, _records.c.token, _records.c.files)).mappings().all()
        good = self._trusted(rows)
        known = {entry.path for row in good for entry in _entries(row)}
        return len(rows) - len(good), self._artifacts.sweep(known)

    def _insert(
        self,
        key: str,
        kind: str,
        spec: Mapping[str, Any],
        payload: Mapping[str, Any],
        environment: Mapping[str, Any],
        entries: list[FileEntry],
    ) -> None:
        row = {
            "key": key,
            "token": uuid.uuid4().hex,
            "kind": kind,
            "spec": dump(spec),
            "payload": dump(payload),
            "environment": dump(environment),
            "files": dump([vars(entry) for entry in entries]),
            "created": time.time(),
        }
        with self._write() as db:
            db.execute(sa.insert(_records).values(row))
            db.execute(sa.delete(_failures).where(_failures.c.key == key))

    def _trusted(self, rows: Iterable[Any]) -> list[Any]:
        """The rows whose files are all there; the others are dropped."""
        good = []
        for row in rows:
            if all(self._artifacts.intact(entry) for entry in _entries(row)):
                good.append(row)
            else:
                self._drop(row)
        return good

    def _drop(self, row: Any) -> None:
        """Remove exactly this row (a newer one with the same key stays) and its files."""
        with self._write() as db:
            db.execute(sa.delete(_records).where(_records.c.key == row["key"], _records.c.token == row["token"]))
        self._remove_unreferenced(row["key"], _entries(row))

    def _remove_unreferenced(self, key: str, entries: Iterable[FileEntry]) -> None:
        with self._read() as db:
            row = db.execute(sa.select(_records.c.files).where(_records.c.key == key)).mappings().first()
        used = {entry.path for entry in _entries(row)} if row is not None else set()
        for entry in entries:
            if entry.path not in used:
                self._artifacts.remove(entry.path)

    @contextlib.contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with self._explained(), self._db.connect() as db:
            yield db

    @contextlib.contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with self._explained(), self._db.connect().execution_options(lethe_write=True) as db, db.begin():
            yield db

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn a refusal of the database into one sentence."""
        try:
            yield
        except exc.IntegrityError:
            raise
        except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
            why = reason(getattr(error, "orig", None) or error)
            raise UserError(f"The store {self._where} cannot be used: {why}.") from error

    def _upgrade(self) -> None:
        """Create the tables, or bring an older schema up to date; refuses one from a newer version."""
        with self._explained():
            with self._db.connect() as db:
                version = _version(db)
            if version == SCHEMA:
                return
            for attempt in (1, 2):
                try:
                    with self._write() as db:
                        self._upgrade_in(db)
                    return
                except (exc.IntegrityError, exc.ProgrammingError, UserError):
                    # Two processes created the tables at once; the second try finds them.
                    if attempt == 2 or (version or 0) > SCHEMA:
                        raise

    def _upgrade_in(self, db: sa.Connection) -> None:
        version = _version(db)
        if version is None:
            _meta.create_all(db)
            db.execute(sa.insert(_about).values(name="schema", value=str(SCHEMA)))
            return
        if version > SCHEMA:
            raise UserError(
                f"The store {self._where} was made by a newer version of Lethe (schema {version}, this one knows {SCHEMA})."
            )
        for step in range(version, SCHEMA):
            UPGRADES[step](db)
        db.execute(sa.update(_about).where(_about.c.name == "schema").values(value=str(SCHEMA)))


def _resolve(location: str | Path | None) -> tuple[sa.URL, Path, str]:
    """(database URL, artifact folder, text that means the same place from any working directory)."""
    text = str(location or os.environ.get("UNLEARN_STORE") or _user_folder())
    if "://" not in text:
        folder = Path(text).expanduser().absolute()
        return sa.URL.create("sqlite", database=str(folder / "lethe.sqlite")), folder / "artifacts", str(folder)
    try:
        url = sa.make_url(text)
        url.get_dialect()
    except (exc.ArgumentError, exc.NoSuchModuleError, ValueError):
        raise UserError(f"The store {text.split('://')[0]}://… is not a database address that SQLAlchemy knows.") from None
    except ImportError as error:
        raise UserError(f"The store's database driver is not installed: {reason(error)}.") from None
    asked = url.query.get("artifacts") or os.environ.get("UNLEARN_ARTIFACTS") or str(_user_folder() / "artifacts")
    artifacts = Path(str(asked)).expanduser().absolute()
    url = url.difference_update_query(["artifacts"])
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise UserError("An in-memory database cannot be shared with the workers; give a folder or a file.")
        url = url.set(database=str(Path(str(url.database)).expanduser().absolute()))
    full = url.update_query_dict({"artifacts": str(artifacts)}).render_as_string(hide_password=False)
    return url, artifacts, full


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        blocked = next((p for p in (folder, *folder.parents) if p.exists()), folder)
        why = f"{blocked} is a file, not a folder" if blocked.is_file() else reason(error)
        raise UserError(f"The store cannot be kept in {folder}: {why}.") from None


def _user_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("lethe", appauthor=False))


def _engine_options(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    return {"pool_pre_ping": True}  # a database server may have been restarted in the meantime


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL, so that readers never wait for a writer; transactions are begun by :func:`_begin_sqlite` alone."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.execute("PRAGMA synchronous = FULL")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Switching to WAL ignores the busy timeout, and several processes may create the store at once.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: a reader that turns writer half-way could not wait for another writer."""
    if connection.get_execution_options().get("lethe_write"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _version(db: sa.Connection) -> int | None:
    if not sa.inspect(db).has_table(_about.name):
        return None
    value = db.execute(sa.select(_about.c.value).where(_about.c.name == "schema")).scalar()
    return None if value is None else int(value)


def _record(row: Any) -> Record:
    entries = _entries(row)
    return Record(
        key=row["key"],
        kind=row["kind"],
        spec=json.loads(row["spec"]),
        payload=json.loads(row["payload"]),
        environment=json.loads(row["environment"]),
        created=utc(row["created"]),
        size=sum(entry.size for entry in entries),
        arrays=tuple(entry.name for entry in entries),
    )


def _entries(row: Any) -> list[FileEntry]:
    return [FileEntry(**entry) for entry in json.loads(row["files"])]
