"""Who computes what at this moment: one row for each key in work, so that two programs on one store do nothing twice.

A lease is only a hint that saves work: results are written whole under their key whether or not it was held, and one whose
holder was killed is taken over. Its age is told by its beat, a number that the holder changes: readers note with their own
clock since when it stands still, so that the clocks of several machines need not agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from unlearn_core.store.database import Database, in_chunks
from unlearn_core.store.schema import leases, records


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

    def take(self, key: str, holder: str, place: str, over: Lease | None = None) -> Lease | None:
        """Hold ``key``: None where that worked, else the lease of the one who holds it.

        ``over``: a lease that counts as abandoned; it is taken over unless its beat has changed since it was read.
        """

        def take(db: sa.Connection) -> Lease | None:
            row = db.execute(sa.select(leases).where(leases.c.key == key)).mappings().first()
            found = None if row is None else Lease(**row)
            if found is not None and found.holder != holder and found != over:
                return found
            db.execute(sa.delete(leases).where(leases.c.key == key))
            db.execute(sa.insert(leases).values(key=key, holder=holder, place=place, beat=0))
            return None

        return self._db.write(take, key)

    def beat(self, key: str, holder: str, number: int) -> bool:
        """Say that the holder is alive; False where the lease is another's by now."""
        mine = (leases.c.key == key) & (leases.c.holder == holder)
        return bool(self._db.write(lambda db: db.execute(sa.update(leases).where(mine).values(beat=number)).rowcount, key))

    def drop(self, key: str, holder: str) -> None:
        """Hold ``key`` no longer; nothing where it is another's."""
        mine = (leases.c.key == key) & (leases.c.holder == holder)
        self._db.write(lambda db: db.execute(sa.delete(leases).where(mine)), key)

    def of(self, keys: Iterable[str]) -> dict[str, Lease]:
        """The leases of these keys, as far as there are any."""
        parts = (self._db.rows(sa.select(leases).where(leases.c.key.in_(part))) for part in in_chunks(keys))
        return {row["key"]: Lease(**row) for rows in parts for row in rows}

    def sweep(self) -> None:
        """Remove what a killed process left on keys whose result is there."""
        there = leases.c.key.in_(sa.select(records.c.key))
        if self._db.row(sa.select(leases.c.key).where(there).limit(1)) is not None:
            self._db.write(lambda db: db.execute(sa.delete(leases).where(there)))
