"""Reading all records of a store one after the other, so that memory does not grow with their number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from unlearn_core.errors import UserError
from unlearn_core.store.artifacts import FileEntry
from unlearn_core.store.records import Json
from unlearn_core.store.schema import records

AT_ONCE = 1000
"""Rows that are in memory together."""


@dataclass(frozen=True)
class Brief:
    """A record without what was measured. ``files``: of its arrays; ``environment`` is JSON text."""

    key: str
    token: str
    kind: str
    spec: Json
    environment: str
    created: float
    files: tuple[FileEntry, ...]

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)


BRIEF = sa.select(
    records.c.key, records.c.token, records.c.kind, records.c.spec, records.c.environment, records.c.created, records.c.files
)


def briefs(db: sa.Connection, query: sa.Select[Any] = BRIEF) -> Iterator[Brief]:
    """The records of a query, all as they were when it began."""
    for row in stream(db, query):
        try:
            files = tuple(FileEntry(**entry) for entry in json.loads(row.files))
            spec = json.loads(row.spec)
        except (ValueError, TypeError):
            raise UserError(f"The record {row.key} is damaged; `eunoe store verify --mend` drops it.") from None
        yield Brief(row.key, row.token, row.kind, spec, row.environment, row.created, files)


def stream(db: sa.Connection, query: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
    """The rows of a query, a few at a time."""
    yield from db.execute(query.execution_options(yield_per=AT_ONCE))


@dataclass(frozen=True)
class PresentSet:
    """A named forget set as it is now. ``of``: the key of its data; ``content``: that of what it holds."""

    id: str
    of: str
    name: str
    content: str


def present_sets(db: sa.Connection) -> list[PresentSet]:
    """The named sets that were not removed; changes that cannot be read are left out."""
    last: dict[str, tuple[int, bool, PresentSet]] = {}
    for row in db.execute(sa.select(records.c.spec, records.c.payload).where(records.c.kind == "forget_set")):
        try:
            spec, told = json.loads(row.spec), json.loads(row.payload)
            one = PresentSet(spec["id"], spec["of"], told["name"], told["content"])
            number = int(spec["number"])
        except (ValueError, KeyError, TypeError):
            continue
        if one.id not in last or last[one.id][0] < number:
            last[one.id] = number, bool(told.get("removed")), one
    return [one for _, removed, one in last.values() if not removed]
