"""Giving the room of removed rows back to the disk, where the database does not do so by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import sqlalchemy as sa

from unlearn_core.errors import UserError
from unlearn_core.store.database import Database

WORTH_IT = 0.1
"""Share of a SQLite file that has to be empty before it is written anew."""


def reclaim(database: Database) -> str | None:
    """Write a SQLite file anew without its empty pages; returns a sentence where that should be and cannot.

    A server does this by itself, in its own time. Other programs go on reading meanwhile; their writes wait."""
    if not database.sqlite:
        return None
    path = Path(str(database.url.database))

    def pages(db: sa.Connection) -> tuple[int, int]:
        total, free = (db.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "freelist_count"))
        return int(total), int(free)

    total, free = database.read(pages)
    try:
        if free > WORTH_IT * total:
            if shutil.disk_usage(path.parent).free < 2 * path.stat().st_size:  # a copy, and the log that it is written through
                return "The database keeps its size: there is no room for the copy that makes it smaller."
            database.read(lambda db: db.exec_driver_sql("VACUUM").close())
        left = database.read(lambda db: db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0])
    except UserError as error:
        return f"The database keeps its size: {error}"
    return "The database becomes smaller when the programs that read it now have ended." if left else None
