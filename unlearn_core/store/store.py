"""The store itself: records by key, their array files, failures, and what happens to damage."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from unlearn_core.errors import UserError
from unlearn_core.store.artifacts import Artifacts, explain_file_errors
from unlearn_core.store.database import Database, in_chunks
from unlearn_core.store.known_folders import make_place, private_files, remember_place
from unlearn_core.store.leases import LeaseTable
from unlearn_core.store.location import UPLOADS, is_default, make_folder, resolve
from unlearn_core.store.record_table import FILES, RecordTable, entries_of
from unlearn_core.store.records import Failure, MissingArtifact, Record, clean, dump, utc
from unlearn_core.store.run_rows import RUN
from unlearn_core.store.runs import RunTable
from unlearn_core.store.schema import bring_up_to_date, failures, records

_TRIES = 3  # a sweep by a machine with another clock can take a file away before its row is there


class Inside(NamedTuple):
    """The database, the folder of array files, and the rows that come and go with them."""

    db: Database
    artifacts: Artifacts
    records: RecordTable


class Store:
    """Records by key. Use :meth:`open`; ``location`` given to it in another process opens the same store."""

    def __init__(self, db: Database, artifacts: Path, location: str) -> None:
        self.location = location
        self._db = db
        self._artifacts = Artifacts(artifacts, private_files(db.url))
        self._id = bring_up_to_date(db)
        self._records = RecordTable(db, self._artifacts, self._id)
        self._records.claim_folder()
        self.runs = RunTable(db)
        self.leases = LeaseTable(db)

    @classmethod
    def open(cls, location: str | Path | None = None, *, sweep: bool = True, create: bool = True) -> Store:
        """Open or create a store: a folder, an SQLAlchemy URL, or None for ``$UNLEARN_STORE`` or the user's data folder.

        ``sweep=False`` skips the repair, for a process that opens a store which another has just opened: it then waits
        for a server that does not answer, where otherwise that is said at once. ``create=False`` makes no new store, for
        commands that only read. A store whose files may not be written can be read.
        Raises :class:`UserError` when the place cannot be used.
        """
        url, artifacts, text = resolve(location)
        db = Database(url)
        if db.sqlite:
            make_place(Path(str(url.database)), artifacts, is_default(location), create)
        elif sweep:
            db.check()
        if not db.read_only:
            make_folder(artifacts, private_files(db.url))
        store = cls(db, artifacts, text)
        if db.sqlite:
            remember_place(Path(str(url.database)).parent, is_default(location))
        if sweep:
            store.sweep()
        return store

    @classmethod
    def join(cls, location: str, identity: str, patience: float | None = None) -> Store:
        """Open the store with this :attr:`identity`, as a worker does; nothing is created on a machine that has no such place.

        ``patience``: seconds that it waits for a database that is locked or away, if not as long as :meth:`open`.
        Raises :class:`UserError` where the location means another store, or none, on this machine.
        """
        url, artifacts, text = resolve(location)
        db = Database(url, patience)
        with contextlib.suppress(OSError):
            if Artifacts(artifacts).owner() == identity and (not db.sqlite or Path(str(url.database)).is_file()):
                store = cls(db, artifacts, text)
                if store.identity == identity:
                    return store
        raise UserError(
            f"The machine {socket.gethostname()} does not see the store {db.name} with its files in {artifacts}: every worker "
            "needs the same database and the same folder (docs/cluster.md)."
        )

    @property
    def identity(self) -> str:
        """The id that the store got when it was made: two locations with the same one are one store."""
        return self._id

    @property
    def read_only(self) -> bool:
        """Whether this user may only read it."""
        return self._db.read_only

    @property
    def inside(self) -> Inside:
        """What the store is made of, for those who keep it in order (``upkeep/``)."""
        return Inside(self._db, self._artifacts, self._records)

    @property
    def uploads(self) -> Path:
        """The folder for uploaded files; it need not exist yet."""
        return self._artifacts.root.parent / UPLOADS

    def close(self) -> None:
        """Close the database connections (they reopen when used)."""
        self._db.close()

    def get(self, key: str) -> Record | None:
        """The record of ``key``, or None; a record whose files are gone is dropped and counts as absent."""
        row = self._db.row(sa.select(records).where(records.c.key == key))
        return _record(row) if row is not None and self._records.trusted([row]) else None

    def has(self, keys: Iterable[str]) -> set[str]:
        """Those of ``keys`` that have a record with all of its files."""
        found = set[str]()
        for part in in_chunks(dict.fromkeys(keys)):
            rows = self._db.rows(FILES.where(records.c.key.in_(part)))
            found.update(row["key"] for row in self._records.trusted(rows))
        return found

    def find(self, kind: str | None = None) -> list[Record]:
        """All records (of one kind), oldest first as far as the clocks of those who wrote them can be trusted."""
        query = sa.select(records).order_by(records.c.created, records.c.key)
        return [_record(row) for row in self._db.rows(query if kind is None else query.where(records.c.kind == kind))]

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
        :class:`UserError` when the disk or the database refuses; what was stored before is untouched then.
        """
        about = {"key": key, "kind": kind, "spec": dump(spec), "payload": dump(payload), "environment": dump(environment)}
        for _ in range(_TRIES):
            if (existing := self.get(key)) is not None:
                return existing
            self._db.check_writable()
            self._records.write(about, arrays or {})
        if (existing := self.get(key)) is not None:
            return existing
        raise UserError(f"The record {key} was removed while it was being written.")

    def arrays(self, key: str, name: str) -> dict[str, np.ndarray]:
        """One array group of a record, verified; raises :class:`MissingArtifact` (and drops a damaged record)."""
        row = self._db.row(FILES.where(records.c.key == key))
        entry = next((e for e in entries_of(row) if e.name == name), None) if row is not None else None
        if row is None or entry is None:
            raise MissingArtifact(f"The store has no {name} for {key}.")
        with explain_file_errors("read"):
            data = self._artifacts.read(entry)
        if data is None:
            self._records.drop_damaged(row)
            raise MissingArtifact(f"The stored {name} of {key} were damaged and have been dropped; run it again.")
        return data

    def delete(self, key: str) -> None:
        """Remove a record and its files, if there is one."""
        if (row := self._db.row(FILES.where(records.c.key == key))) is not None:
            self._records.drop(row)

    def fail(self, key: str, kind: str, message: str, detail: str = "") -> None:
        """Remember why ``key`` failed: a sentence for people and a traceback; nothing if a record is there after all."""
        row = {"key": key, "kind": kind, "message": clean(message), "detail": clean(detail), "created": time.time()}

        def remember(db: sa.Connection) -> None:
            if db.execute(sa.select(records.c.key).where(records.c.key == key)).first() is None:
                db.execute(sa.delete(failures).where(failures.c.key == key))
                db.execute(sa.insert(failures).values(row))

        self._db.write(remember, key)

    def failure(self, key: str) -> Failure | None:
        """Why the last attempt at ``key`` failed, or None."""
        row = self._db.row(sa.select(failures).where(failures.c.key == key))
        return None if row is None else Failure(**dict(row) | {"created": utc(row["created"])})

    def failures(self, keys: Iterable[str]) -> dict[str, Failure]:
        """The same of many keys, as far as their last attempts failed."""
        parts = (self._db.rows(sa.select(failures).where(failures.c.key.in_(part))) for part in in_chunks(keys))
        return {row["key"]: Failure(**dict(row) | {"created": utc(row["created"])}) for rows in parts for row in rows}

    def clear_failure(self, key: str) -> None:
        """Forget a failure."""
        self._db.write(lambda db: db.execute(sa.delete(failures).where(failures.c.key == key)))

    def sweep(self) -> tuple[int, int]:
        """Drop rows whose files are missing or cut short, remove old orphan files; returns (rows, files) removed."""
        if self.read_only:
            return 0, 0
        there = self._artifacts.listing()  # before the rows: a file that comes later is no orphan
        rows = self._db.read(lambda db: db.execute(FILES.add_columns(records.c.kind)).all())
        keys, _, texts, kinds = zip(*rows, strict=True) if rows else ((),) * 4
        self.runs.compare({key for key, kind in zip(keys, kinds, strict=True) if kind == RUN})
        files = json.loads("[" + ",".join(texts) + "]")  # one call takes a fraction of one for each
        known = {entry["path"]: entry["size"] for entries in files for entry in entries}
        lacking = {path for path, size in known.items() if path not in there or there[path][0] != size}
        doubted = [
            row._mapping for row, entries in zip(rows, files, strict=True) if any(entry["path"] in lacking for entry in entries)
        ] if lacking else []  # fmt: skip
        good = self._records.trusted(doubted)
        self.leases.sweep()
        stale = (path for path, (_, old) in there.items() if old and path not in known)
        return len(doubted) - len(good), self._artifacts.sweep(stale)


def _record(row: sa.RowMapping) -> Record:
    entries = entries_of(row)
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
