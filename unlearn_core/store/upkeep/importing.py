"""Taking an archive into a store: what is there already stays as it is, and either all of the rest comes or nothing."""

from __future__ import annotations

import contextlib
import functools
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from unlearn_core.errors import UserError
from unlearn_core.store.artifacts import FileEntry, explain_file_errors
from unlearn_core.store.database import in_chunks
from unlearn_core.store.records import dump
from unlearn_core.store.run_rows import RUN, make_row
from unlearn_core.store.schema import failures, records, runs
from unlearn_core.store.store import Inside, Store
from unlearn_core.store.upkeep.archive import Archive, Line

_BATCH, _BATCH_BYTES = 200, 2**26  # what is written in one transaction: its files must not look left over before it ends
_TRIES = 3
_Written = list[tuple[str, str, tuple[FileEntry, ...]]]
"""Key, token and files of rows that this import has written, or tried to."""


@dataclass
class Imported:
    """``same``: records that were there with the same content; ``other``: keys that were there with another, which stayed."""

    records: int = 0
    files: int = 0
    bytes: int = 0
    same: int = 0
    other: list[str] = field(default_factory=list)


def import_archive(store: Store, path: Path) -> Imported:
    """Merge an archive; it is looked at whole first. Raises :class:`UserError` where it is damaged or refused, or the store
    cannot take it: nothing of it is in the store then."""
    place = store.inside
    place.db.check_writable()
    place.records.check_owner()
    done, written = Imported(), _Written()
    with Archive(path) as archive:
        archive.check()
        try:
            for batch in _batches(archive.lines()):
                _take(place, archive, batch, done, written)
        except BaseException:
            with contextlib.suppress(UserError):  # where the store cannot be asked, files without a row are left to the sweep
                for start in range(0, len(written), _BATCH):
                    place.records.drop_all(written[start : start + _BATCH])
            raise
    return done


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    batch, size = list[Line](), 0
    for line in lines:
        batch.append(line)
        size += sum(file.size for file in line.files)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _take(place: Inside, archive: Archive, batch: list[Line], done: Imported, written: _Written) -> None:
    """Write the files and rows of those that are not there yet."""
    for _ in range(_TRIES):
        there = place.db.read(lambda db: _contents_of(db, [line.key for line in batch]))
        fresh = [line for line in batch if line.key not in there]
        tokens = {line.key: uuid.uuid4().hex for line in fresh}
        written += [(line.key, tokens[line.key], line.files) for line in fresh]
        with explain_file_errors("write"):
            for file in (file for line in fresh for file in line.files):
                place.artifacts.put(file, archive.data(file))
        try:
            place.db.write(functools.partial(_insert, place=place, lines=fresh, tokens=tokens), tokens)
        except (exc.IntegrityError, FileNotFoundError):
            continue  # another program wrote one of them meanwhile, or took a file for one left over
        done.records += len(fresh)
        done.files += sum(len(line.files) for line in fresh)
        done.bytes += sum(file.size for line in fresh for file in line.files)
        known = [line for line in batch if line.key in there]
        done.other += [line.key for line in known if there[line.key] != _content(vars(line), line.files)]
        done.same += sum(there[line.key] == _content(vars(line), line.files) for line in known)
        return
    raise UserError("Another program writes the same records all the time: import the archive again.")


def _contents_of(db: sa.Connection, keys: list[str]) -> dict[str, str]:
    """Key → what tells the content of these records from another; those that are there."""
    found = dict[str, str]()
    for part in in_chunks(keys):
        for row in db.execute(sa.select(records).where(records.c.key.in_(part))).mappings():
            found[row["key"]] = _content(row, [FileEntry(**entry) for entry in json.loads(row["files"])])
    return found


def _content(row: Mapping[str, Any] | sa.RowMapping, files: Iterable[FileEntry]) -> str:
    """Without how long it took, and where: that differs whenever the same is computed again."""
    payload = {name: value for name, value in json.loads(row["payload"]).items() if name != "seconds"}
    return dump([row["kind"], json.loads(row["spec"]), payload, {file.name: file.sha256 for file in files}])


def _insert(db: sa.Connection, place: Inside, lines: list[Line], tokens: Mapping[str, str]) -> None:
    """Write these rows, each beside its row among the runs; their files have to be there."""
    keys = [line.key for line in lines]
    rows = [
        {name: value for name, value in vars(line).items() if name != "files"}
        | {"token": tokens[line.key], "files": dump([vars(file) for file in line.files])}
        for line in lines
    ]
    index = [make_row(line.key, line.spec, line.payload) for line in lines if line.kind == RUN]
    if rows:
        db.execute(sa.insert(records), rows)
    for part in in_chunks(keys):
        db.execute(sa.delete(runs).where(runs.c.key.in_(part)))
        db.execute(sa.delete(failures).where(failures.c.key.in_(part)))
    if index:
        db.execute(sa.insert(runs), index)
    # Files are removed under the same locks: those that are here now stay.
    if not all(place.artifacts.intact(file) for line in lines for file in line.files):
        raise FileNotFoundError("a file of the archive")
