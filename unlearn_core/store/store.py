"""The store itself: records by key, their array files, failures, and what happens to damage."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import exc

from unlearn_core.errors import UserError
from unlearn_core.store.artifacts import Artifacts, FileEntry
from unlearn_core.store.database import Database
from unlearn_core.store.known_folders import make_place, private_files, remember_place
from unlearn_core.store.leases import LeaseTable
from unlearn_core.store.location import UPLOADS, is_default, make_folder, resolve
from unlearn_core.store.records import Failure, MissingArtifact, Record, clean, dump, reason, utc
from unlearn_core.store.runs import KIND as RUN
from unlearn_core.store.runs import RunTable, make_row
from unlearn_core.store.schema import bring_up_to_date, failures, records, runs

_CHUNK = 400  # keys in one SQL "IN", below every database's limit of parameters
_TRIES = 3  # a sweep by a machine with another clock can take a file away before its row is there
_FILES = sa.select(records.c.key, records.c.token, records.c.files)


class Store:
    """Records by key. Use :meth:`open`; ``location`` given to it in another process opens the same store."""

    def __init__(self, db: Database, artifacts: Path, location: str) -> None:
        self.location = location
        self._db = db
        self._artifacts = Artifacts(artifacts, private_files(db.url))
        self._id = bring_up_to_date(db)
        self._own_folder()
        self.runs = RunTable(db)
        self.leases = LeaseTable(db)

    @classmethod
    def open(cls, location: str | Path | None = None, *, sweep: bool = True, create: bool = True) -> Store:
        """Open or create a store: a folder, an SQLAlchemy URL, or None for ``$UNLEARN_STORE`` or the user's data folder.

        ``sweep=False`` skips the repair, for a process that opens a store somebody else has just opened: it then waits
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
    def join(cls, location: str, identity: str) -> Store:
        """Open the store with this :attr:`identity`, as a worker does; nothing is created on a machine that has no such place.

        Raises :class:`UserError` where the location means another store, or none, on this machine.
        """
        url, artifacts, text = resolve(location)
        db = Database(url)
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
    def uploads(self) -> Path:
        """The folder for files that somebody hands over; it need not exist yet."""
        return self._artifacts.root.parent / UPLOADS

    def close(self) -> None:
        """Close the database connections (they reopen when used)."""
        self._db.close()

    def get(self, key: str) -> Record | None:
        """The record of ``key``, or None; a record whose files are gone is dropped and counts as absent."""
        row = self._db.row(sa.select(records).where(records.c.key == key))
        return _record(row) if row is not None and self._trusted([row]) else None

    def has(self, keys: Iterable[str]) -> set[str]:
        """Those of ``keys`` that have a record with all of its files."""
        wanted, found = list(dict.fromkeys(keys)), set[str]()
        for start in range(0, len(wanted), _CHUNK):
            rows = self._db.rows(_FILES.where(records.c.key.in_(wanted[start : start + _CHUNK])))
            found.update(row["key"] for row in self._trusted(rows))
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
            self._put(about, arrays or {})
        if (existing := self.get(key)) is not None:
            return existing
        raise UserError(f"The record {key} was removed while it was being written.")

    def arrays(self, key: str, name: str) -> dict[str, np.ndarray]:
        """One array group of a record, verified; raises :class:`MissingArtifact` (and drops a damaged record)."""
        row = self._db.row(_FILES.where(records.c.key == key))
        entry = next((e for e in _entries(row) if e.name == name), None) if row is not None else None
        if row is None or entry is None:
            raise MissingArtifact(f"The store has no {name} for {key}.")
        with self._explained("read"):
            data = self._artifacts.read(entry)
        if data is None:
            self._drop_damaged(row)
            raise MissingArtifact(f"The stored {name} of {key} were damaged and have been dropped; run it again.")
        return data

    def delete(self, key: str) -> None:
        """Remove a record and its files, if there is one."""
        if (row := self._db.row(_FILES.where(records.c.key == key))) is not None:
            self._drop(row)

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

    def clear_failure(self, key: str) -> None:
        """Forget a failure."""
        self._db.write(lambda db: db.execute(sa.delete(failures).where(failures.c.key == key)))

    def sweep(self) -> tuple[int, int]:
        """Drop rows whose files are missing or cut short, remove old orphan files; returns (rows, files) removed."""
        if self.read_only:
            return 0, 0
        there = self._artifacts.listing()  # before the rows: a file that comes later is nobody's orphan
        rows = self._db.rows(_FILES.add_columns(records.c.kind))
        self.runs.compare({row["key"] for row in rows if row["kind"] == RUN})
        files = json.loads("[" + ",".join(row["files"] for row in rows) + "]")  # one call takes a fraction of one for each
        doubted = [
            row for row, entries in zip(rows, files, strict=True)
            if any(there.get(entry["path"], (None,))[0] != entry["size"] for entry in entries)
        ]  # fmt: skip
        good = self._trusted(doubted)
        known = {entry["path"] for entries in files for entry in entries}
        self.leases.sweep()
        stale = (path for path, (_, old) in there.items() if old and path not in known)
        return len(doubted) - len(good), self._artifacts.sweep(stale)

    def _put(self, about: Mapping[str, Any], arrays: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Write the files, then the row; the files go again if there is no row in the end."""
        key, entries = about["key"], list[FileEntry]()
        try:
            if arrays:
                self._check_owner()
            for name, group in arrays.items():
                entries.append(self._artifacts.write(key, name, group))
            self._insert(dict(about), entries)
        except (exc.IntegrityError, FileNotFoundError):
            # Another process was first, or took away a file that it believed left over: the caller looks again.
            self._remove_unreferenced(key, entries)
        except (OSError, UserError) as error:
            with contextlib.suppress(UserError):  # where the database cannot be asked they are left to the sweep
                self._remove_unreferenced(key, entries, patience=0.0)
            if isinstance(error, UserError):
                raise
            raise UserError(f"The store cannot write its files: {reason(error)}.") from None

    def _insert(self, row: dict[str, Any], entries: list[FileEntry]) -> None:
        row |= {"token": uuid.uuid4().hex, "files": dump([vars(entry) for entry in entries]), "created": time.time()}

        index = make_row(row["key"], row["spec"], row["payload"]) if row["kind"] == RUN else None

        def insert(db: sa.Connection) -> None:
            db.execute(sa.insert(records).values(row))
            if index is not None:
                db.execute(sa.delete(runs).where(runs.c.key == row["key"]))
                db.execute(sa.insert(runs).values(index))
            db.execute(sa.delete(failures).where(failures.c.key == row["key"]))
            # Files are removed under the same lock: those that are here now stay.
            if not all(self._artifacts.intact(entry) for entry in entries):
                raise FileNotFoundError(f"a file of {row['key']}")

        self._db.write(insert, row["key"])

    def _trusted(self, rows: Iterable[Any]) -> list[Any]:
        """The rows whose files are all there; the others are dropped."""
        good = []
        for row in rows:
            with self._explained("read"):
                intact = all(self._artifacts.intact(entry) for entry in _entries(row))
            if intact:
                good.append(row)
            else:
                self._drop_damaged(row)
        return good

    def _drop_damaged(self, row: Any) -> None:
        if self.read_only:  # it counts as absent, and stays for those who may mend it
            return
        self._check_owner()
        self._drop(row)

    def _drop(self, row: Any) -> None:
        """Remove exactly this row (a newer one with the same key stays) and its files."""

        def drop(db: sa.Connection) -> None:
            gone = db.execute(sa.delete(records).where(records.c.key == row["key"], records.c.token == row["token"]))
            if gone.rowcount:
                db.execute(sa.delete(runs).where(runs.c.key == row["key"]))
            self._remove(db, row["key"], _entries(row))

        self._db.write(drop, row["key"])

    def _remove_unreferenced(self, key: str, entries: list[FileEntry], patience: float | None = None) -> None:
        if entries:
            self._db.write(lambda db: self._remove(db, key, entries), key, patience)

    def _remove(self, db: sa.Connection, key: str, entries: Iterable[FileEntry]) -> None:
        """Remove those of these files that the record of ``key``, if there is one, does not use."""
        row = db.execute(sa.select(records.c.files).where(records.c.key == key)).mappings().first()
        used = {entry.path for entry in _entries(row)} if row is not None else set()
        for entry in entries:
            if entry.path not in used:
                self._artifacts.remove(entry.path)

    def _own_folder(self) -> None:
        """Take the folder of files into possession, or refuse one that is not this store's."""
        with self._explained("read"):
            owner = self._artifacts.owner()
            if owner == self._id:
                return
            entries = [entry for row in self._db.rows(_FILES.where(records.c.files != "[]")) for entry in _entries(row)]
            ours = any(self._artifacts.intact(entry) for entry in entries)
            strange = owner is not None or (bool(entries) and not ours) or (not ours and self._artifacts.has_files())
        if strange:
            self._check_owner()  # another process may have taken it for this store since
        if self.read_only:
            return
        with self._explained("write"):
            self._artifacts.claim(self._id)

    def _check_owner(self) -> None:
        """Nothing is called damaged, and nothing written, while the folder is not this store's."""
        with self._explained("read"):
            owner = self._artifacts.owner()
        if owner != self._id:
            whose = "belongs to another store" if owner else "does not hold this store's files"
            raise UserError(
                f"The folder {self._artifacts.root} {whose} ({self._db.name}): is its disk not mounted, or was another "
                "folder meant (?artifacts=… in the address, or UNLEARN_ARTIFACTS)?"
            )

    @contextlib.contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        """Turn a refusal of the file system into one sentence."""
        try:
            yield
        except OSError as error:
            raise UserError(f"The store cannot {doing} its files: {reason(error)}.") from None


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
