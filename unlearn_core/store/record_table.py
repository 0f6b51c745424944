"""The table of records and their array files: a row is written after its files, and counts only while they are there."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import sqlalchemy as sa
from sqlalchemy import exc

from unlearn_core.errors import UserError
from unlearn_core.store.artifacts import Artifacts, FileEntry, explain_file_errors
from unlearn_core.store.database import Database
from unlearn_core.store.records import dump, reason
from unlearn_core.store.run_rows import RUN, make_row
from unlearn_core.store.schema import failures, records, runs

FILES = sa.select(records.c.key, records.c.token, records.c.files)
"""What :meth:`RecordTable.trusted` and :meth:`RecordTable.drop` look at."""


class RecordTable:
    """Rows that come in and go out together with their files. ``store_id``: whose folder of files it has to be."""

    def __init__(self, db: Database, artifacts: Artifacts, store_id: str) -> None:
        self._db, self._artifacts, self._id = db, artifacts, store_id

    def claim_folder(self) -> None:
        """Take the folder of files into possession, or refuse one that is not this store's."""
        with explain_file_errors("read"):
            owner = self._artifacts.owner()
            if owner == self._id:
                return
            entries = [entry for row in self._db.rows(FILES.where(records.c.files != "[]")) for entry in entries_of(row)]
            ours = any(self._artifacts.intact(entry) for entry in entries)
            strange = owner is not None or (bool(entries) and not ours) or (not ours and self._artifacts.has_files())
        if strange:
            self.check_owner()  # another process may have taken it for this store since
        if self._db.read_only:
            return
        with explain_file_errors("write"):
            self._artifacts.claim(self._id)

    def check_owner(self) -> None:
        """Nothing is called damaged, and nothing written, while the folder is not this store's."""
        with explain_file_errors("read"):
            owner = self._artifacts.owner()
        if owner != self._id:
            whose = "belongs to another store" if owner else "does not hold this store's files"
            raise UserError(
                f"The folder {self._artifacts.root} {whose} ({self._db.name}): is its disk not mounted, or was another "
                "folder meant (?artifacts=… in the address, or UNLEARN_ARTIFACTS)?"
            )

    def write(self, about: Mapping[str, str], arrays: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Write the files, then the row; the files go again if there is no row in the end.

        ``about``: key, kind, spec, payload and environment, the last three as JSON.
        """
        key, entries = about["key"], list[FileEntry]()
        try:
            if arrays:
                self.check_owner()
            for name, group in arrays.items():
                entries.append(self._artifacts.write(key, name, group))
            self._insert(about, entries)
        except (exc.IntegrityError, FileNotFoundError):
            # Another process was first, or took away a file that it believed left over: the caller looks again.
            self._remove_unreferenced(key, entries)
        except (OSError, UserError) as error:
            with contextlib.suppress(UserError):  # where the database cannot be asked they are left to the sweep
                self._remove_unreferenced(key, entries, patience=0.0)
            if isinstance(error, UserError):
                raise
            raise UserError(f"The store cannot write its files: {reason(error)}.") from None

    def trusted(self, rows: Iterable[sa.RowMapping]) -> list[sa.RowMapping]:
        """The rows whose files are all there; the others are dropped."""
        good = []
        for row in rows:
            with explain_file_errors("read"):
                intact = all(self._artifacts.intact(entry) for entry in entries_of(row))
            if intact:
                good.append(row)
            else:
                self.drop_damaged(row)
        return good

    def drop_damaged(self, row: sa.RowMapping) -> None:
        """Remove a row whose files are missing or changed, while the folder is this store's."""
        if self._db.read_only:  # it counts as absent, and stays for those who may mend it
            return
        self.check_owner()
        self.drop(row)

    def drop(self, row: sa.RowMapping) -> None:
        """Remove exactly this row (a newer one with the same key stays) and its files."""
        self.drop_all([(row["key"], row["token"], entries_of(row))])

    def drop_all(
        self, rows: Sequence[tuple[str, str, Sequence[FileEntry]]], but: Callable[[sa.Connection], set[str]] | None = None
    ) -> list[str]:
        """Remove these rows (key, token, files), in one transaction, without the keys that ``but`` then names.

        Returns the keys that were removed.
        """

        def drop(db: sa.Connection) -> list[str]:
            spared, gone = set() if but is None else but(db), []
            for key, token, entries in rows:
                if key in spared:
                    continue
                if db.execute(sa.delete(records).where(records.c.key == key, records.c.token == token)).rowcount:
                    db.execute(sa.delete(runs).where(runs.c.key == key))
                    gone.append(key)
                self._remove(db, key, entries)
            return gone

        return self._db.write(drop, [key for key, _, _ in rows])

    def _remove_unreferenced(self, key: str, entries: list[FileEntry], patience: float | None = None) -> None:
        if entries:
            self._db.write(lambda db: self._remove(db, key, entries), key, patience)

    def _remove(self, db: sa.Connection, key: str, entries: Iterable[FileEntry]) -> None:
        """Remove those of these files that the record of ``key``, if there is one, does not use."""
        row = db.execute(sa.select(records.c.files).where(records.c.key == key)).mappings().first()
        used = {entry.path for entry in entries_of(row)} if row is not None else set()
        for entry in entries:
            if entry.path not in used:
                self._artifacts.remove(entry.path)

    def _insert(self, about: Mapping[str, str], entries: list[FileEntry]) -> None:
        row = {**about, "token": uuid.uuid4().hex, "files": dump([vars(entry) for entry in entries]), "created": time.time()}
        index = make_row(about["key"], about["spec"], about["payload"]) if about["kind"] == RUN else None

        def insert(db: sa.Connection) -> None:
            db.execute(sa.insert(records).values(row))
            if index is not None:
                db.execute(sa.delete(runs).where(runs.c.key == about["key"]))
                db.execute(sa.insert(runs).values(index))
            db.execute(sa.delete(failures).where(failures.c.key == about["key"]))
            # Files are removed under the same lock: those that are here now stay.
            if not all(self._artifacts.intact(entry) for entry in entries):
                raise FileNotFoundError(f"a file of {about['key']}")

        self._db.write(insert, about["key"])


def entries_of(row: sa.RowMapping) -> list[FileEntry]:
    """The files of a row."""
    return [FileEntry(**entry) for entry in json.loads(row["files"])]
