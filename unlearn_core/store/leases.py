"""Who computes what at this moment: one row for each key in work, so that two programs on one store do nothing twice.

A lease is only a hint that saves work: results are written whole under their key whether or not it was held, and one whose
holder was killed is taken over. Its age is told by its beat, a number that the holder changes: readers note with their own
clock since when it stands still, so that the clocks of several machines need not agree.

Beside a lease stand rows for the records that its stage builds on, so that none of them is pruned meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from unlearn_core.store.database import Database, in_chunks
from unlearn_core.store.schema import leases, records

_BUILDS_ON = ">"
"""Between the key in work and that of a record it builds on; no key has it."""
_LONGEST = 64


@dataclass(frozen=True)
class Lease:
    """``holder`` names one attempt, ``place`` the process that makes it; ``beat`` changes while it is alive."""

    key: str
    holder: str
    place: str
    beat: int


class LeaseTable:
    """The leases of one store. Every method raises :class:`UserError` where the database refuses."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def take(self, key: str, holder: str, place: str, over: Lease | None = None, needs: Iterable[str] = ()) -> Lease | None:
        """Hold ``key``: None where that worked, else the lease of the one who holds it.

        ``over``: a lease that counts as abandoned; it is taken over unless its beat has changed since it was read.
        ``needs``: keys of the records that it builds on.
        """
        used = [name for need in dict.fromkeys(needs) if len(name := f"{key}{_BUILDS_ON}{need}") <= _LONGEST]

        def take(db: sa.Connection) -> Lease | None:
            row = db.execute(sa.select(leases).where(leases.c.key == key)).mappings().first()
            found = None if row is None else Lease(**row)
            if found is not None and found.holder != holder and found != over:
                return found
            db.execute(sa.delete(leases).where(_all_of(key)))
            db.execute(sa.insert(leases), [{"key": k, "holder": holder, "place": place, "beat": 0} for k in (key, *used)])
            return None

        return self._db.write(take, key)

    def beat(self, key: str, holder: str, number: int) -> bool:
        """Say that the holder is alive; False where the lease is another's by now."""
        mine = (leases.c.key == key) & (leases.c.holder == holder)
        return bool(self._db.write(lambda db: db.execute(sa.update(leases).where(mine).values(beat=number)).rowcount, key))

    def drop(self, key: str, holder: str, patience: float | None = None) -> None:
        """Hold ``key`` no longer; nothing where it is another's. ``patience``: seconds, as :meth:`Database.write` has them."""
        mine = _all_of(key) & (leases.c.holder == holder)
        self._db.write(lambda db: db.execute(sa.delete(leases).where(mine)), key, patience)

    def of(self, keys: Iterable[str]) -> dict[str, Lease]:
        """The leases of these keys, as far as there are any."""
        parts = (self._db.rows(sa.select(leases).where(leases.c.key.in_(part))) for part in in_chunks(keys))
        return {row["key"]: Lease(**row) for rows in parts for row in rows}

    def in_work(self, has_ended: Callable[[Lease], bool]) -> set[str]:
        """Keys that somebody computes, or that what is computed builds on, as far as ``has_ended`` does not know better."""
        return self._db.read(lambda db: keys_in_work(db, has_ended))

    def sweep(self) -> None:
        """Remove what a killed process left on keys whose result is there."""
        there = leases.c.key.in_(sa.select(records.c.key))
        if not (left := self._db.rows(sa.select(leases.c.key).where(there))):
            return

        def remove(db: sa.Connection) -> None:
            for row in left:
                db.execute(sa.delete(leases).where(_all_of(row["key"]), sa.exists().where(records.c.key == row["key"])))

        self._db.write(remove)


def keys_in_work(db: sa.Connection, has_ended: Callable[[Lease], bool]) -> set[str]:
    """:meth:`LeaseTable.in_work` within a transaction."""
    if not sa.inspect(db).has_table(leases.name):  # a store of an earlier version that may only be read
        return set()
    rows = [Lease(**row) for row in db.execute(sa.select(leases)).mappings()]
    ended: dict[str, bool] = {}
    for row in rows:
        if row.place not in ended:
            ended[row.place] = has_ended(row)
    return {part for row in rows if not ended[row.place] for part in row.key.split(_BUILDS_ON)}


def _all_of(key: str) -> sa.ColumnElement[bool]:
    """The lease of ``key`` and the rows of what it builds on."""
    return (leases.c.key == key) | leases.c.key.startswith(f"{key}{_BUILDS_ON}", autoescape=True)
