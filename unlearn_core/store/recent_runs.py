"""The newest runs of a dataset, method by method: read from the end of an index, however many there are."""

from __future__ import annotations

from collections.abc import Container

import sqlalchemy as sa

from unlearn_core.store.database import Database
from unlearn_core.store.schema import runs


def recent_keys(db: Database, dataset: str, wanted: Container[tuple[str, str]], device: str, last: int, each: int) -> list[str]:
    """Keys among the ``last`` runs stored on a dataset: ``each`` of every (dataset, ``MethodSpec.key``) that is ``wanted``,
    computed on ``device`` ("auto": on any), the newest first."""
    query = sa.select(runs.c.key, runs.c.spec, runs.c.device).where(runs.c.dataset == dataset)
    rows = db.read(lambda read: read.execute(query.order_by(runs.c.number.desc()).limit(last)).all())
    found: dict[str, list[str]] = {}
    for key, spec, where in rows:
        if (dataset, spec) in wanted and device in ("auto", where):
            found.setdefault(spec, []).append(key)
    return [key for keys in found.values() for key in keys[:each]]
