"""What a store holds, and how much room it takes: by kind, dataset and age, and its largest records."""

from __future__ import annotations

import contextlib
import heapq
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from unlearn_core.store.database import Database
from unlearn_core.store.schema import failures, records, runs
from unlearn_core.store.store import Store
from unlearn_core.store.upkeep.lineage import dataset_of, methods_of
from unlearn_core.store.upkeep.rows import briefs

DAY = 86_400.0
AGES = (("a day", DAY), ("a week", 7 * DAY), ("30 days", 30 * DAY), ("a year", 365 * DAY), ("older", float("inf")))
"""Up to how many seconds; a record that seems to come from the future is young."""
LARGEST = 10


@dataclass
class Sum:
    """How many records, and bytes of their array files."""

    records: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        self.records += 1
        self.bytes += size


@dataclass(frozen=True)
class Large:
    """One of the largest records; ``created`` in seconds since 1970."""

    key: str
    kind: str
    dataset: str | None
    methods: tuple[str, ...]
    bytes: int
    created: float


@dataclass(frozen=True)
class Contents:
    """``database``: bytes of the database and its log; ``files``: of the array files that records name; ``uploads``: of files
    that were handed over; ``copies``: of databases that were kept before an upgrade. Nothing has a dataset: ``None``."""

    location: str
    database: int
    files: int
    uploads: int
    copies: int
    total: Sum
    failures: int
    by_kind: dict[str, Sum]
    by_dataset: dict[str | None, Sum]
    by_age: dict[str, Sum]
    largest: tuple[Large, ...]


def count(store: Store, now: float | None = None) -> Contents:
    """Look at every record once. Raises :class:`UserError` when the database refuses."""
    place = store.inside
    moment = time.time() if now is None else now

    def look(db: sa.Connection) -> tuple[Sum, dict[str, Sum], dict[str | None, Sum], dict[str, Sum], list[Large]]:
        total, kinds, ages = Sum(), defaultdict[str, Sum](Sum), {name: Sum() for name, _ in AGES}
        datasets = defaultdict[str | None, Sum](Sum)
        large: list[tuple[int, str, Large]] = []
        for one in briefs(db):
            dataset = dataset_of(one.spec)
            for part in (total, kinds[one.kind], datasets[dataset], ages[_age(moment - one.created)]):
                part.add(one.size)
            if one.size and (len(large) < LARGEST or one.size > large[0][0]):
                about = Large(one.key, one.kind, dataset, tuple(methods_of(one.spec)), one.size, one.created)
                (heapq.heappush if len(large) < LARGEST else heapq.heapreplace)(large, (one.size, one.key, about))
        return total, dict(kinds), dict(datasets), ages, [about for _, _, about in sorted(large, reverse=True)]

    total, kinds, datasets, ages, large = place.db.read(look)
    failed = place.db.read(lambda db: db.execute(sa.select(sa.func.count()).select_from(failures)).scalar_one())
    return Contents(
        store.location,
        database_bytes(place.db),
        total.bytes,
        _bytes_of(_files_below(store.uploads)),
        _bytes_of(_copies(place.db)),
        total,
        int(failed),
        kinds,
        datasets,
        ages,
        tuple(large),
    )


def _age(seconds: float) -> str:
    return next(name for name, limit in AGES if seconds < limit)


def database_bytes(database: Database) -> int:
    """Of the database and its log; 0 where that cannot be known."""
    if database.sqlite:
        path = str(database.url.database)
        return _bytes_of(Path(path + end) for end in ("", "-wal"))
    if database.url.get_backend_name() != "postgresql":
        return 0
    sizes = sa.select(*(sa.func.pg_total_relation_size(table.name) for table in (records, failures, runs)))
    return sum(database.read(lambda db: db.execute(sizes).one()))


def _copies(database: Database) -> Iterator[Path]:
    """Databases that were kept before an upgrade (``schema.py``)."""
    if database.sqlite:
        path = Path(str(database.url.database))
        yield from path.parent.glob(f"{path.stem}.version-*{path.suffix}")


def _files_below(folder: Path) -> Iterator[Path]:
    for above, _, names in os.walk(folder):
        yield from (Path(above, name) for name in names)


def _bytes_of(files: Iterable[Path]) -> int:
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.lstat().st_size
    return total
