"""The table of runs: what cells and tables filter and group by, read by changes and never parsed twice.

A row is written with its record and removed with it. Records of earlier versions get theirs when the table is first looked
at, in batches; where nothing can be written, these rows are kept in memory.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import threading
import time
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from unlearn_core.errors import UserError
from unlearn_core.store.database import Database, in_chunks
from unlearn_core.store.recent_runs import recent_keys
from unlearn_core.store.records import Json, utc
from unlearn_core.store.run_rows import COLUMNS, RUN, RunRow, as_run_row, make_row, reader
from unlearn_core.store.schema import records, runs

BATCH = 500  # records that get their rows in one transaction
PAGE = 5_000  # rows that are in memory together where all are read
_PATIENCE = 1.0  # seconds: where another program writes all the time, the rows are kept in memory until the next look
_PAUSE = 30.0  # seconds until writing is tried again


@dataclass(frozen=True)
class Changes:
    """What changed since a look: rows that are new, and keys of runs that are gone. ``mark``: where the next look begins."""

    mark: tuple[int, ...]
    added: tuple[RunRow, ...] = ()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Latest:
    """A run that was stored lately, with its whole spec as it was stored."""

    key: str
    spec: Json
    environment: Json
    created: dt.datetime


NOTHING: tuple[int, ...] = ()
"""The mark of a reader that has seen nothing yet."""


class RunTable:
    """The runs of one store; all methods may be called from any thread."""

    fields = RunRow._fields

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._differs = False
        self._unwritten: dict[str, RunRow | None] = {}
        self._turn = 0  # of what is unwritten
        self._seen: dict[
            str | None, tuple[int | None, tuple[int, ...]]
        ] = {}  # dataset → the database's stamp, and the mark then
        self._pause = 0.0

    def changes(self, mark: tuple[int, ...] = NOTHING, known: Iterable[str] = (), dataset: str | None = None) -> Changes:
        """What is new (on ``dataset``) since ``mark``; ``known``: the keys that the reader has.

        Costs one count where nothing changed, and in SQLite nothing where nothing was written. Raises :class:`UserError` when
        the database refuses.
        """
        stamp = self._db.stamp()
        with self._lock:
            still = stamp is not None and self._seen.get(dataset) == (stamp, mark)
            if still and not self._differs and not self._unwritten:
                return Changes(mark)
            self._catch_up()
            turn, loose = self._turn, [row for row in self._unwritten.values() if row and dataset in (None, row.dataset)]
        count, last, total = self._extent(dataset)
        now = (count, last, total, turn)
        self._seen[dataset] = stamp, now
        if now == mark:
            return Changes(mark)
        before = mark or (0, 0, 0, turn if not loose else -1)
        rows, there = self._since(before[1], dataset), set(known)
        grown = (before[0] + len(rows), before[2] + sum(row.number or 0 for row in rows), before[3])
        if grown == (count, total, turn):
            return Changes(now, tuple(row for row in rows if row.key not in there))
        # Some have gone, or were committed later than others with a higher number: the keys are compared.
        found = {row.key: row for row in (*loose, *rows)}
        present = self._keys(dataset) | {row.key for row in loose}
        found |= {row.key: row for row in self._rows(sorted(present - there - found.keys()))}
        added = tuple(row for key, row in found.items() if key in present and key not in there)
        return Changes(now, added, frozenset(there - present))

    def compare(self, keys: set[str] | None = None) -> None:
        """Whether the keys of all stored runs, read here unless they are given, are those of the table; where not, the next
        look mends it."""
        if self._absent:
            return
        if keys is None:
            stored = sa.select(records.c.key).where(records.c.kind == RUN)
            keys = set(self._db.read(lambda db: db.execute(stored).scalars()))
        unread = sa.select(sa.func.count()).where(runs.c.dataset.is_(None), runs.c.reader != reader())
        mine, other = self._db.read(
            lambda db: (set(db.execute(sa.select(runs.c.key)).scalars()), db.execute(unread).scalar_one())
        )
        self._differs = mine != keys or other > 0

    def find(self, **values: object) -> list[RunRow]:
        """The runs with these values in these columns."""
        with self._lock:
            self._catch_up()
            loose = [row for row in self._unwritten.values() if row is not None]
        query = _select().where(*(runs.c[name] == value for name, value in values.items()))
        found = [] if self._absent else list(map(RunRow._make, self._db.read(lambda db: db.execute(query).all())))
        return found + [row for row in loose if all(getattr(row, name) == value for name, value in values.items())]

    def whole(self, take: Callable[[Sequence[Sequence[Any]]], None], dataset: str | None = None) -> tuple[int, ...]:
        """Give all rows to ``take``, :data:`PAGE` at a time, so that they are never in memory together: plain sequences of what
        a :class:`RunRow` has. Returns the mark from which :meth:`changes` goes on. Raises :class:`UserError` when the database
        refuses."""
        stamp = self._db.stamp()
        with self._lock:
            self._catch_up()
            turn, loose = self._turn, [row for row in self._unwritten.values() if row and dataset in (None, row.dataset)]
        count, last, total = 0, 0, 0
        while rows := self._page(last, dataset):
            take(rows)
            count, last, total = count + len(rows), rows[-1][0], total + sum(row[0] for row in rows)
        if loose:
            take(loose)
        mark = (count, last, total, turn)
        self._seen[dataset] = stamp, mark
        return mark

    def latest(self, count: int) -> list[Latest]:
        """The last runs that were stored, the newest first: read from the end of an index, however many there are. Rows that
        are missing yet come with the next look at the table."""
        if self._absent:
            return []
        last = sa.select(runs.c.key).where(runs.c.setting.is_not(None)).order_by(runs.c.number.desc()).limit(count)
        query = sa.select(records.c.key, records.c.spec, records.c.environment, records.c.created)
        keys = self._db.read(lambda db: db.execute(last).scalars().all())
        found = {row["key"]: row for part in in_chunks(keys) for row in self._db.rows(query.where(records.c.key.in_(part)))}
        there = (found[key] for key in keys if key in found)
        return [
            Latest(row["key"], json.loads(row["spec"]), json.loads(row["environment"]), utc(row["created"])) for row in there
        ]

    def recent(self, dataset: str, wanted: Container[tuple[str, str]], device: str, last: int, each: int) -> list[str]:
        """What :func:`recent_keys` gives; nothing while there is no such table."""
        return [] if self._absent else recent_keys(self._db, dataset, wanted, device, last, each)

    def specs(self, keys: Iterable[str]) -> dict[str, Json]:
        """Key → the whole spec of these records, as it was stored; nothing else of them is read."""
        query = sa.select(records.c.key, records.c.spec)
        parts = (self._db.rows(query.where(records.c.key.in_(part))) for part in in_chunks(keys))
        return {row["key"]: json.loads(row["spec"]) for rows in parts for row in rows}

    def payloads(self, keys: Iterable[str]) -> dict[str, Json]:
        """Key → the payload of those of these records that are there; for records without files, which cannot be damaged."""
        query = sa.select(records.c.key, records.c.payload)
        parts = (self._db.rows(query.where(records.c.key.in_(part))) for part in in_chunks(keys))
        return {row["key"]: json.loads(row["payload"]) for rows in parts for row in rows}

    @functools.cached_property
    def _absent(self) -> bool:
        """Whether there is no such table: a store of an earlier version in which nothing can be written."""
        return not self._db.read(lambda db: sa.inspect(db).has_table(runs.name))

    def _catch_up(self) -> None:
        """Make the rows that are missing. Counts tell whether there are any, once the keys have been compared."""
        if not self._differs and not self._unwritten and self._counts_agree():
            return
        lacking, before = self._keys_without_row(), self._unwritten
        self._unwritten = {key: before[key] for key in lacking if key in before}
        writing = time.monotonic() >= self._pause
        for part in in_chunks(lacking, BATCH):
            keys = part if writing else [key for key in part if key not in self._unwritten]
            rows = self._make_rows(keys)
            writing = writing and self._try_to_add(rows)
            for row in rows:
                if writing:
                    self._unwritten.pop(row["key"], None)
                else:
                    self._unwritten[row["key"]] = as_run_row(row)
        if writing:
            self._drop_orphans()
        self._differs = False
        self._turn += before != self._unwritten

    def _try_to_add(self, rows: list[dict[str, Any]]) -> bool:
        """Write these rows; False where that cannot be: the store is read-only, or written to all the time."""
        try:
            self._add(rows)
        except UserError:
            self._pause = time.monotonic() + _PAUSE
            return False
        return True

    def _counts_agree(self) -> bool:
        if self._absent:
            return False
        count = sa.select(sa.func.count()).select_from(records).where(records.c.kind == RUN).scalar_subquery()
        mine = sa.select(sa.func.count()).select_from(runs).scalar_subquery()
        there, here = self._db.read(lambda db: db.execute(sa.select(count, mine)).one())
        return bool(there == here)

    def _keys_without_row(self) -> list[str]:
        """Keys of runs without a row, or whose row could not be read by the code that wrote it, the oldest first."""
        query = sa.select(records.c.key).where(records.c.kind == RUN)
        if not self._absent:
            here = sa.select(runs.c.key).where(sa.or_(runs.c.setting.is_not(None), runs.c.reader == reader()))
            query = query.where(records.c.key.not_in(here))
        return [row["key"] for row in self._db.rows(query.order_by(records.c.created, records.c.key))]

    def _drop_orphans(self) -> None:
        """Remove rows whose record was removed by a version that does not know this table."""
        orphans = runs.c.key.not_in(sa.select(records.c.key).where(records.c.kind == RUN))
        with contextlib.suppress(UserError):  # where nothing can be written they are shown until it can
            self._db.write(lambda db: db.execute(sa.delete(runs).where(orphans)), "runs", _PATIENCE)

    def _make_rows(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        query = sa.select(records.c.key, records.c.spec, records.c.payload)
        found = {row["key"]: row for part in in_chunks(keys) for row in self._db.rows(query.where(records.c.key.in_(part)))}
        return [make_row(key, found[key]["spec"], found[key]["payload"]) for key in keys if key in found]

    def _add(self, rows: list[dict[str, Any]]) -> None:
        if self._absent:
            raise UserError("The store has no table of runs and cannot be written to.")

        def add(db: sa.Connection) -> None:
            keys = [row["key"] for row in rows]
            for part in in_chunks(keys):
                db.execute(sa.delete(runs).where(runs.c.key.in_(part)))
            there = {key for part in in_chunks(keys) for key in _those_stored(db, part)}
            if wanted := [row for row in rows if row["key"] in there]:
                db.execute(sa.insert(runs), wanted)

        if rows:
            self._db.write(add, "runs", _PATIENCE)

    def _extent(self, dataset: str | None) -> tuple[int, int, int]:
        """How many rows there are, the highest number and the sum of all: whatever is added or removed changes one."""
        if self._absent:
            return 0, 0, 0
        total = sa.func.coalesce(sa.func.sum(sa.cast(runs.c.number, sa.BigInteger)), 0)
        query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(runs.c.number), 0), total).select_from(runs)
        query = query.where(_readable(dataset))
        count, last, everything = self._db.read(lambda db: db.execute(query).one())
        return int(count), int(last), int(everything)

    def _since(self, number: int, dataset: str | None) -> list[RunRow]:
        if self._absent:
            return []
        query = _select().where(_readable(dataset), runs.c.number > number).order_by(runs.c.number)
        return list(map(RunRow._make, self._db.read(lambda db: db.execute(query).all())))

    def _page(self, number: int, dataset: str | None) -> Sequence[Sequence[Any]]:
        """The next rows after this one as the driver gives them: SQLAlchemy's own rows take as long as reading does."""
        if self._absent:
            return []
        query = _select().where(_readable(dataset), runs.c.number > number).order_by(runs.c.number).limit(PAGE)
        return self._db.read(lambda db: db.execute(query).cursor.fetchall())

    def _keys(self, dataset: str | None) -> set[str]:
        if self._absent:
            return set()
        query = sa.select(runs.c.key).where(_readable(dataset))
        return set(self._db.read(lambda db: db.execute(query).scalars().all()))

    def _rows(self, keys: Sequence[str]) -> list[RunRow]:
        if self._absent:
            return []

        def read(db: sa.Connection) -> list[Any]:
            return [row for part in in_chunks(keys) for row in db.execute(_select().where(runs.c.key.in_(part)))]

        return list(map(RunRow._make, self._db.read(read)))


def _select() -> sa.Select[Any]:
    return sa.select(*COLUMNS)


def _readable(dataset: str | None) -> sa.ColumnElement[bool]:
    return runs.c.setting.is_not(None) if dataset is None else runs.c.dataset == dataset


def _those_stored(db: sa.Connection, keys: Sequence[str]) -> list[str]:
    return list(db.execute(sa.select(records.c.key).where(records.c.key.in_(keys))).scalars())
