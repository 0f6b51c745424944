"""Writing records and their array files into one archive, also while other programs write to the store.

What is in it is the store as it was at one moment: records are read in one go, files never change, and a record that is
removed or found damaged meanwhile is left out whole.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from unlearn_core import __version__
from unlearn_core.errors import UserError
from unlearn_core.store.artifacts import FileEntry, explain_file_errors
from unlearn_core.store.database import in_chunks
from unlearn_core.store.privacy import FILE
from unlearn_core.store.records import reason
from unlearn_core.store.schema import SCHEMA, records
from unlearn_core.store.store import Store
from unlearn_core.store.upkeep.archive import FOLDER, FORMAT, LINES, MANIFEST, MAX_FILES, VERSION, Line
from unlearn_core.store.upkeep.lineage import builds_on, dataset_of, methods_of
from unlearn_core.store.upkeep.rows import BRIEF, Brief, briefs, stream

_WHEN = (1980, 1, 1, 0, 0, 0)  # of every entry, so that equal content makes equal archives


@dataclass(frozen=True)
class Choice:
    """Which records: of these datasets, about these methods alone, stored since then (seconds since 1970); everything where
    all are left out. What the chosen ones build on comes along."""

    datasets: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    since: float | None = None

    @property
    def everything(self) -> bool:
        return not self.datasets and not self.methods and self.since is None

    def takes(self, one: Brief) -> bool:
        """Whether a record is one of those that are meant."""
        about = methods_of(one.spec)
        return (
            (not self.datasets or dataset_of(one.spec) in self.datasets)
            and (not self.methods or (bool(about) and self.methods.issuperset(about)))
            and (self.since is None or one.created >= self.since)
        )


@dataclass(frozen=True)
class Exported:
    """``left_out``: keys of records whose files are damaged, or that were removed meanwhile; ``bytes``: of the archive."""

    records: int
    files: int
    bytes: int
    left_out: tuple[str, ...]


def export_store(store: Store, target: Path, choice: Choice | None = None) -> Exported:
    """Write the archive ``target``, all of it or nothing; a file of that name is replaced.

    Raises :class:`UserError` where that cannot be written, or there is nothing to write.
    """
    chosen = choice or Choice()
    temporary = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with tempfile.TemporaryFile(dir=target.parent) as spool:
            _spool_lines(store, chosen, spool)
            with os.fdopen(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE), "w+b") as file:
                done = _write_archive(store, chosen, spool, file, target.parent)
                file.flush()
                os.fsync(file.fileno())
        size = temporary.stat().st_size
        temporary.replace(target)
    except OSError as error:
        raise UserError(f"The archive {str(target)!r} cannot be written: {reason(error)}.") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return Exported(*done[:2], size, done[2])


def _spool_lines(store: Store, choice: Choice, spool: IO[bytes]) -> None:
    """Write the chosen records as lines, as they are at this moment."""

    def read(db: sa.Connection) -> tuple[int, int]:
        spool.seek(0)
        spool.truncate()
        wanted = None if choice.everything else _choose(db, choice)
        total = files = 0
        for row in stream(db, sa.select(records).order_by(records.c.key)):
            if wanted is None or row.key in wanted:
                entries = tuple(FileEntry(**entry) for entry in json.loads(row.files))
                line = Line(row.key, row.kind, row.spec, row.payload, row.environment, row.created, entries)
                spool.write(line.text().encode())
                total, files = total + 1, files + len(entries)
        return total, files

    total, files = store.inside.db.read(read)
    if not total:
        raise UserError("There is nothing to export: no stored record is one of those that are meant.")
    if files > MAX_FILES:
        raise UserError(
            f"These are {files:,} files, more than the {MAX_FILES:,} that one archive takes: make several, with --dataset, "
            "--methods or --since."
        )
    spool.seek(0)


def _choose(db: sa.Connection, choice: Choice) -> set[str]:
    """Keys of the chosen records and of all that they build on."""
    chosen, needed = set[str](), set[str]()
    for one in briefs(db):
        if choice.takes(one):
            chosen.add(one.key)
            needed |= builds_on(one.key, one.spec)
    fresh = needed - chosen
    while fresh:
        chosen |= fresh
        deeper = set[str]()
        for part in in_chunks(fresh):
            for one in briefs(db, BRIEF.where(records.c.key.in_(part))):
                deeper |= builds_on(one.key, one.spec)
        fresh = deeper - chosen
    return chosen


def _write_archive(
    store: Store, choice: Choice, spool: IO[bytes], file: IO[bytes], folder: Path
) -> tuple[int, int, tuple[str, ...]]:
    """(records, files, keys of what was left out); ``folder``: for what is in the way meanwhile."""
    left_out, total, files, digest = list[str](), 0, 0, hashlib.sha256()
    with zipfile.ZipFile(file, "w") as made, tempfile.TemporaryFile(dir=folder) as kept:
        for text in spool:
            about = json.loads(text)
            found = list(_files(store, [FileEntry(**entry) for entry in about["files"]]))
            if any(data is None for _, data in found):
                left_out.append(about["key"])
                continue
            for entry, data in found:
                made.writestr(_entry(FOLDER + entry.path), data or b"")
            kept.write(text)
            digest.update(text)
            total, files = total + 1, files + len(found)
        kept.seek(0)
        _copy(made, kept)
        made.writestr(_entry(MANIFEST), json.dumps(_manifest(choice, total, files, digest.hexdigest()), indent=1) + "\n")
    return total, files, tuple(left_out)


def _files(store: Store, entries: list[FileEntry]) -> Iterator[tuple[FileEntry, bytes | None]]:
    for entry in entries:
        with explain_file_errors("read"):
            yield entry, store.inside.artifacts.data(entry)


def _manifest(choice: Choice, total: int, files: int, digest: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "schema": SCHEMA,
        "program": __version__,
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "chosen": {"datasets": sorted(choice.datasets), "methods": sorted(choice.methods), "since": choice.since},
        "records": total,
        "files": files,
        "records_sha256": digest,
    }


def _entry(name: str, compression: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.external_attr, entry.compress_type = FILE << 16, compression
    return entry


def _copy(made: zipfile.ZipFile, lines: IO[bytes]) -> None:
    with made.open(_entry(LINES, zipfile.ZIP_DEFLATED), "w", force_zip64=True) as out:
        shutil.copyfileobj(lines, out, 2**20)
