"""The table of runs: what cells and tables filter and group by, read by changes and never parsed twice.

A row is written with its record and removed with it. Records of earlier versions get theirs when the table is first looked
at, in batches; where nothing can be written, these rows are kept in memory.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from unlearn_core.errors import UserError
from unlearn_core.specs import MethodSpec, Scenario, content_key
from unlearn_core.store.database import Database
from unlearn_core.store.schema import records, runs

KIND = "run"
_CHUNK = 400  # keys in one SQL "IN", below every database's limit of parameters
_BATCH = 500  # records that get their rows in one transaction
_PATIENCE = 1.0  # seconds: where another program writes all the time, the rows are kept in memory until the next look
_PAUSE = 30.0  # seconds until writing is tried again
_OWN = frozenset({"metrics", "seconds", "trajectory", "report", "params", "redirect_layers", "method", "device"})
"""What of a run's payload differs from run to run. Everything else, with the names of the metrics, is what ``told`` is of."""
_COLUMNS = [column for column in runs.columns if column.name != "reader"]


class RunRow(NamedTuple):
    """One stored run. ``setting``: ``Scenario.setting_key``; ``spec``: ``MethodSpec.key``. ``regularity`` is None where the
    corruption is as found, ``discovery`` for an edited set; ``number`` where the row is not in the table.

    ``numbers``: the metrics in the order of their names, float64, NaN for null. ``told``: equal for records that have metrics
    of the same names, and say the same beside them: what one of their payloads says of its metrics holds for all.
    """

    number: int | None
    key: str
    dataset: str
    model: str
    amount: float | None
    regularity: float | None
    discovery: float | None
    seed: int
    setting: str
    method: str
    spec: str
    device: str | None
    told: str
    numbers: bytes


@dataclass(frozen=True)
class Changes:
    """What changed since a look: rows that are new, and keys of runs that are gone. ``mark``: where the next look begins."""

    mark: tuple[int, ...]
    added: tuple[RunRow, ...] = ()
    gone: frozenset[str] = frozenset()


NOTHING: tuple[int, ...] = ()
"""The mark of a reader that has seen nothing yet."""


class RunTable:
    """The runs of one store; all methods may be called from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._doubted = False
        self._unwritten: dict[str, RunRow | None] = {}
        self._turn = 0  # of what is unwritten
        self._pause = 0.0

    def changes(self, mark: tuple[int, ...] = NOTHING, known: Iterable[str] = (), dataset: str | None = None) -> Changes:
        """What is new (on ``dataset``) since ``mark``; ``known``: the keys that the reader has.

        Costs one count where nothing changed. Raises :class:`UserError` when the database refuses.
        """
        with self._lock:
            self._catch_up()
            turn, loose = self._turn, [row for row in self._unwritten.values() if row and dataset in (None, row.dataset)]
        count, last, total = self._state(dataset)
        now = (count, last, total, turn)
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

    def compare(self, keys: set[str]) -> None:
        """Whether these, the keys of all stored runs, are those of the table; where not, the next look mends it."""
        if self._absent:
            return
        unread = sa.select(sa.func.count()).where(runs.c.dataset.is_(None), runs.c.reader != reader())
        mine, other = self._db.read(
            lambda db: (set(db.execute(sa.select(runs.c.key)).scalars()), db.execute(unread).scalar_one())
        )
        self._doubted = mine != keys or other > 0

    def find(self, **values: object) -> list[RunRow]:
        """The runs with these values in these columns."""
        with self._lock:
            self._catch_up()
            loose = [row for row in self._unwritten.values() if row is not None]
        query = _select().where(*(runs.c[name] == value for name, value in values.items()))
        found = [] if self._absent else list(map(RunRow._make, self._db.read(lambda db: db.execute(query).all())))
        return found + [row for row in loose if all(getattr(row, name) == value for name, value in values.items())]

    def specs(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Key → the whole spec of these records, as it was stored; nothing else of them is read."""
        query = sa.select(records.c.key, records.c.spec)
        parts = (self._db.rows(query.where(records.c.key.in_(part))) for part in _parts(keys))
        return {row["key"]: json.loads(row["spec"]) for rows in parts for row in rows}

    def payloads(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Key → the payload of those of these records that are there; for records without files, which cannot be damaged."""
        query = sa.select(records.c.key, records.c.payload)
        parts = (self._db.rows(query.where(records.c.key.in_(part))) for part in _parts(keys))
        return {row["key"]: json.loads(row["payload"]) for rows in parts for row in rows}

    @functools.cached_property
    def _absent(self) -> bool:
        """Whether there is no such table: a store of an earlier version in which nothing can be written."""
        return not self._db.read(lambda db: sa.inspect(db).has_table(runs.name))

    def _catch_up(self) -> None:
        """Make the rows that are missing. Counts tell whether there are any, once the keys have been compared."""
        if not self._doubted and not self._unwritten and self._counts_agree():
            return
        lacking, before = self._lacking(), self._unwritten
        self._unwritten = {key: before[key] for key in lacking if key in before}
        writing = time.monotonic() >= self._pause
        for part in _parts(lacking, _BATCH):
            keys = part if writing else [key for key in part if key not in self._unwritten]
            rows = self._made(keys)
            writing = writing and self._added(rows)
            for row in rows:
                if writing:
                    self._unwritten.pop(row["key"], None)
                else:
                    self._unwritten[row["key"]] = _of(row)
        if writing:
            self._drop_orphans()
        self._doubted = False
        self._turn += before != self._unwritten

    def _added(self, rows: list[dict[str, Any]]) -> bool:
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
        count = sa.select(sa.func.count()).select_from(records).where(records.c.kind == KIND).scalar_subquery()
        mine = sa.select(sa.func.count()).select_from(runs).scalar_subquery()
        there, here = self._db.read(lambda db: db.execute(sa.select(count, mine)).one())
        return bool(there == here)

    def _lacking(self) -> list[str]:
        """Keys of runs without a row, or whose row could not be read by the code that wrote it, the oldest first."""
        query = sa.select(records.c.key).where(records.c.kind == KIND)
        if not self._absent:
            here = sa.select(runs.c.key).where(sa.or_(runs.c.setting.is_not(None), runs.c.reader == reader()))
            query = query.where(records.c.key.not_in(here))
        return [row["key"] for row in self._db.rows(query.order_by(records.c.created, records.c.key))]

    def _drop_orphans(self) -> None:
        """Remove rows whose record was removed by a version that does not know this table."""
        orphans = runs.c.key.not_in(sa.select(records.c.key).where(records.c.kind == KIND))
        with contextlib.suppress(UserError):  # where nothing can be written they are shown until it can
            self._db.write(lambda db: db.execute(sa.delete(runs).where(orphans)), "runs", _PATIENCE)

    def _made(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        query = sa.select(records.c.key, records.c.spec, records.c.payload)
        found = {row["key"]: row for part in _parts(keys) for row in self._db.rows(query.where(records.c.key.in_(part)))}
        return [make_row(key, found[key]["spec"], found[key]["payload"]) for key in keys if key in found]

    def _add(self, rows: list[dict[str, Any]]) -> None:
        if self._absent:
            raise UserError("The store has no table of runs and cannot be written to.")

        def add(db: sa.Connection) -> None:
            keys = [row["key"] for row in rows]
            for part in _parts(keys):
                db.execute(sa.delete(runs).where(runs.c.key.in_(part)))
            there = {key for part in _parts(keys) for key in _those_stored(db, part)}
            if wanted := [row for row in rows if row["key"] in there]:
                db.execute(sa.insert(runs), wanted)

        if rows:
            self._db.write(add, "runs", _PATIENCE)

    def _state(self, dataset: str | None) -> tuple[int, int, int]:
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

    def _keys(self, dataset: str | None) -> set[str]:
        if self._absent:
            return set()
        query = sa.select(runs.c.key).where(_readable(dataset))
        return set(self._db.read(lambda db: db.execute(query).scalars().all()))

    def _rows(self, keys: Sequence[str]) -> list[RunRow]:
        if self._absent:
            return []

        def read(db: sa.Connection) -> list[Any]:
            return [row for part in _parts(keys) for row in db.execute(_select().where(runs.c.key.in_(part)))]

        return list(map(RunRow._make, self._db.read(read)))


def make_row(key: str, spec: str, payload: str) -> dict[str, Any]:
    """The row of one record from its JSON; without a setting where this version cannot read it."""
    plain: dict[str, Any] = dict.fromkeys(column.name for column in _COLUMNS if column.name != "number")
    plain |= {"key": key, "reader": reader()}
    told, given = json.loads(spec), json.loads(payload)
    try:
        task, name, method = _task(_text(told["scenario"])), told["method"]["name"], _method(_text(told["method"]))
    except (UserError, KeyError, TypeError):
        return plain
    metrics = dict(sorted((given.get("metrics") or {}).items()))
    rest = {field: value for field, value in given.items() if field not in _OWN}
    numbers = np.array([_number(value) for value in metrics.values()], dtype="<f8").tobytes()
    about = {"told": content_key("told", list(metrics), rest), "numbers": numbers, "device": given.get("device")}
    return plain | task | {"method": name, "spec": method} | about


@functools.cache
def reader() -> str:
    """What tells this version's way of reading specs from another's: rows that one could not read, the next one tries."""
    return content_key("reader", Scenario.model_json_schema(), MethodSpec.model_json_schema())


@functools.lru_cache(maxsize=4096)
def _task(scenario_json: str) -> dict[str, Any]:
    scenario = Scenario.parse(json.loads(scenario_json))
    found = scenario.corruption.found
    return {
        "dataset": scenario.dataset.name,
        "model": scenario.model.name,
        "amount": None if found else scenario.corruption.amount,
        "regularity": None if found else scenario.corruption.regularity,
        "discovery": None if scenario.edited else scenario.discovery,
        "seed": scenario.seed,
        "setting": scenario.setting_key,
    }


@functools.lru_cache(maxsize=4096)
def _method(method_json: str) -> str:
    return MethodSpec.parse(json.loads(method_json)).key


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _select() -> sa.Select[Any]:
    return sa.select(*_COLUMNS)


def _of(row: Mapping[str, Any]) -> RunRow | None:
    return None if row["setting"] is None else RunRow._make(row.get(column.name) for column in _COLUMNS)


def _readable(dataset: str | None) -> sa.ColumnElement[bool]:
    return runs.c.setting.is_not(None) if dataset is None else runs.c.dataset == dataset


def _those_stored(db: sa.Connection, keys: Sequence[str]) -> list[str]:
    return list(db.execute(sa.select(records.c.key).where(records.c.key.in_(keys))).scalars())


def _parts(keys: Iterable[str], size: int = _CHUNK) -> Iterator[list[str]]:
    everything = list(keys)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]
