"""Whether a store is sound: every array file against its size and SHA-256, the rows against each other, what is left over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from unlearn_core.store.artifacts import Artifacts, FileEntry
from unlearn_core.store.leases import Lease
from unlearn_core.store.records import reason
from unlearn_core.store.run_rows import RUN
from unlearn_core.store.schema import leases, records, runs
from unlearn_core.store.store import Store
from unlearn_core.store.upkeep.lineage import HAND_MADE
from unlearn_core.store.upkeep.rows import AT_ONCE, present_sets

DAMAGED, UNREADABLE, LOST, DATABASE = "damaged", "unreadable", "lost", "database"
LEFT_OVER, INDEX, LEASE = "left over", "index", "lease"
HARM = frozenset({DAMAGED, UNREADABLE, LOST, DATABASE})
"""What is worth an alarm; the other findings are untidy, and mended by themselves sooner or later."""
_CHUNK = 2**20


@dataclass(frozen=True)
class Finding:
    """``what``: one of the words above; ``where``: a key or a path below the folder of array files; ``why``: a clause."""

    what: str
    where: str
    why: str


@dataclass
class Verified:
    """``mended``: those of the findings that were mended."""

    records: int = 0
    files: int = 0
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    mended: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether no harm is left."""
        return not any(one.what in HARM and one not in self.mended for one in self.findings)


@dataclass(frozen=True)
class _Row:
    key: str
    token: str
    kind: str
    files: tuple[FileEntry, ...] | None
    why: str


def verify(store: Store, has_ended: Callable[[Lease], bool], *, mend: bool = False, quick: bool = False) -> Verified:
    """Look at everything; ``quick``: at sizes, not at every byte. ``mend``: drop damaged records, so that they are computed
    again when asked for, and remove what is left over. Raises :class:`UserError` where the store cannot be read or written."""
    place, done = store.inside, Verified()
    place.records.check_owner()
    if mend:
        place.db.check_writable()
    there = place.artifacts.listing()  # before the rows: a file that comes later is not left over
    known, damaged = set[str](), list[_Row]()
    done.findings += [Finding(DATABASE, "", text) for text in place.db.read(lambda db: _check_database(db, quick))]
    for row in _rows(store):
        done.records += 1
        known.update(file.path for file in row.files or ())
        why = row.why or next(filter(None, (_wrong(place.artifacts, file, quick) for file in row.files or ())), "")
        done.files += len(row.files or ())
        done.bytes += sum(file.size for file in row.files or ())
        if why.startswith(UNREADABLE):
            done.findings.append(Finding(UNREADABLE, row.key, why))
        elif why and _still_there(store, row):
            by_hand = row.kind in HAND_MADE  # nothing can compute it again: it stays for somebody who can read it
            damaged += [] if by_hand else [row]
            done.findings.append(Finding(LOST if by_hand else DAMAGED, row.key, why))
    stale = [path for path, (_, old) in there.items() if old and path not in known]
    done.findings += [Finding(LEFT_OVER, path, "no record names this file") for path in sorted(stale)]
    done.findings += place.db.read(lambda db: [*_index(db), *_lost_sets(db), *_leases(db, has_ended)])
    if mend:
        _mend(store, done, has_ended, damaged, stale)
    return done


def _rows(store: Store) -> Iterator[_Row]:
    """Every record, with what is wrong in its row itself; a part at a time, as reading all files may take hours."""
    columns = [records.c[name] for name in ("key", "token", "kind", "spec", "payload", "environment", "files")]
    query, last = sa.select(*columns).order_by(records.c.key).limit(AT_ONCE), ""
    while part := store.inside.db.rows(query.where(records.c.key > last)):
        yield from map(_read, part)
        last = part[-1]["key"]


def _read(row: sa.RowMapping) -> _Row:
    key, token, kind = row["key"], row["token"], row["kind"]
    try:
        files = tuple(FileEntry(**entry) for entry in json.loads(row["files"]))
    except (ValueError, TypeError):
        return _Row(key, token, kind, None, "the list of its files cannot be read")
    try:
        good = all(isinstance(json.loads(row[name]), dict) for name in ("spec", "payload", "environment"))
    except ValueError:
        good = False
    return _Row(key, token, kind, files, "" if good else "its row cannot be read")


def _wrong(artifacts: Artifacts, file: FileEntry, quick: bool) -> str:
    """What is wrong with a file; empty where nothing is."""
    try:
        path = artifacts.root / file.path
        size = path.stat().st_size
        if size != file.size:
            return f"its {file.name} have {size:,} bytes instead of {file.size:,}"
        if quick:
            return ""
        digest = hashlib.sha256()
        with path.open("rb") as opened:
            while part := opened.read(_CHUNK):
                digest.update(part)
    except (FileNotFoundError, NotADirectoryError):
        return f"its {file.name} are missing"
    except OSError as error:
        return f"{UNREADABLE}: {reason(error)}"
    return "" if digest.hexdigest() == file.sha256 else f"its {file.name} have changed"


def _still_there(store: Store, row: _Row) -> bool:
    """Whether a record was not just removed by another program, its files before the row."""
    query = sa.select(records.c.key).where(records.c.key == row.key, records.c.token == row.token)
    return store.inside.db.row(query) is not None


def _check_database(db: sa.Connection, quick: bool) -> list[str]:
    """What SQLite finds wrong in its own file; not ``quick``: with every index against its table."""
    if db.dialect.name != "sqlite":
        return []
    found = [str(row[0]) for row in db.exec_driver_sql(f"PRAGMA {'quick' if quick else 'integrity'}_check(5)")]
    return [] if found == ["ok"] else [" ".join(text.split()) for text in found]


def _index(db: sa.Connection) -> Iterator[Finding]:
    """Runs without a row in the table of runs, and rows without a run."""
    if not sa.inspect(db).has_table(runs.name):
        return
    stored = sa.select(records.c.key).where(records.c.kind == RUN)
    for key in db.execute(stored.where(records.c.key.not_in(sa.select(runs.c.key)))).scalars():
        yield Finding(INDEX, key, "this run is not in the table of runs yet")
    for key in db.execute(sa.select(runs.c.key).where(runs.c.key.not_in(stored))).scalars():
        yield Finding(INDEX, key, "the table of runs names a run that is not there")


def _lost_sets(db: sa.Connection) -> Iterator[Finding]:
    """Named forget sets whose present content is not there: nothing can compute it again."""
    there = set(db.execute(sa.select(records.c.key).where(records.c.kind == "forget_content")).scalars())
    for one in present_sets(db):
        if one.content not in there:
            yield Finding(LOST, one.id, f"the content of the forget set {one.name!r} is not there")


def _leases(db: sa.Connection, has_ended: Callable[[Lease], bool]) -> list[Finding]:
    """What a process of this machine that is no more left behind."""
    return [Finding(LEASE, one.key, "the process that computed it is no more") for one in _ended(db, has_ended)]


def _ended(db: sa.Connection, has_ended: Callable[[Lease], bool]) -> list[Lease]:
    if not sa.inspect(db).has_table(leases.name):
        return []
    return [one for row in db.execute(sa.select(leases)).mappings() if has_ended(one := Lease(**row))]


def _mend(store: Store, done: Verified, has_ended: Callable[[Lease], bool], damaged: list[_Row], stale: list[str]) -> None:
    place = store.inside
    for row in damaged:
        place.records.drop_all([(row.key, row.token, row.files or ())])
    place.artifacts.sweep(stale)

    def drop(db: sa.Connection) -> None:
        for one in _ended(db, has_ended):
            db.execute(sa.delete(leases).where(leases.c.key == one.key, leases.c.holder == one.holder))

    place.db.write(drop)
    keys = place.db.read(lambda db: set(db.execute(sa.select(records.c.key).where(records.c.kind == RUN)).scalars()))
    store.runs.compare(keys)
    store.runs.changes()
    done.mended += [one for one in done.findings if one.what in (DAMAGED, LEFT_OVER, INDEX, LEASE)]
