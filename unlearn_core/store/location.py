"""Where a store is: a folder or a database address, read into a URL and a folder for the array files."""

from __future__ import annotations

import os
import re
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc

from unlearn_core.errors import UserError
from unlearn_core.store.privacy import FOLDER
from unlearn_core.store.records import reason
from unlearn_core.support.typed_paths import typed_path
from unlearn_core.support.working_title import WORKING_TITLE

UPLOADS = "uploads"
"""The folder of files that were handed over, beside that of array files."""
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_SECRET = re.compile(r"passw(or)?d|pwd|secret|token", re.IGNORECASE)
_NO_DRIVER = {
    "psycopg": "A store on PostgreSQL needs the package psycopg: pip install 'psycopg[binary]'.",
}


def resolve(location: str | Path | None) -> tuple[sa.URL, Path, str]:
    """(database URL, artifact folder, text that means the same place from any working directory)."""
    text = str(location or os.environ.get("UNLEARN_STORE") or _user_folder())
    if "://" not in text:
        folder = typed_path(text, "the store")
        return sa.URL.create("sqlite", database=str(folder / f"{WORKING_TITLE}.sqlite")), folder / "artifacts", str(folder)
    try:
        url = sa.make_url(text)
        # Which driver a bare "postgresql://" means depends on SQLAlchemy's version.
        url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
        url.get_dialect()
    except (exc.ArgumentError, exc.NoSuchModuleError, ValueError):
        raise UserError(f"The store {text.split('://')[0]}://… is not a database address that SQLAlchemy knows.") from None
    except ImportError as error:
        raise no_driver(error) from None
    asked = url.query.get("artifacts") or os.environ.get("UNLEARN_ARTIFACTS") or str(_user_folder() / "artifacts")
    artifacts = typed_path(str(asked), "the store's artifacts")
    url = url.difference_update_query(["artifacts"])
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise UserError("An in-memory database cannot be shared with the workers; give a folder or a file.")
        url = url.set(database=str(typed_path(str(url.database), "the store")))
    full = url.update_query_dict({"artifacts": str(artifacts)}).render_as_string(hide_password=False)
    return url, artifacts, full


def is_default(location: str | Path | None) -> bool:
    """Whether the user left it to the default where the store is."""
    return not (location or os.environ.get("UNLEARN_STORE"))


def shown(url: sa.URL) -> str:
    """The address for people: passwords are starred, those among the options after "?" too."""
    hidden = url.update_query_dict({name: "***" for name in url.query if _SECRET.search(name)})
    return hidden.render_as_string(hide_password=True)


def secrets(url: sa.URL) -> list[str]:
    """What must never be shown, the longest first."""
    found = [str(url.password)] if url.password else []
    for name, value in url.query.items():
        if _SECRET.search(name):
            found += [value] if isinstance(value, str) else list(value)
    return sorted(filter(None, found), key=len, reverse=True)


def cannot_be_written(url: sa.URL) -> bool:
    """Whether a SQLite store is there and this user may only read it: its rights, or a disk that is mounted read-only."""
    if url.get_backend_name() != "sqlite":
        return False
    file = Path(str(url.database))
    return file.is_file() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def no_driver(error: ImportError) -> UserError:
    """What to install for this kind of database."""
    known = _NO_DRIVER.get((error.name or "").split(".")[0])
    return UserError(known or f"The store's database driver is not installed: {reason(error)}.")


def make_folder(folder: Path, private: bool) -> None:
    """Make a folder, perhaps for this user alone, and those above it; raises :class:`UserError` where that cannot be."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=FOLDER if private else 0o777, exist_ok=True)
    except OSError as error:
        blocked = next((p for p in (folder, *folder.parents) if os.path.exists(p)), folder)
        why = f"{blocked} is a file, not a folder" if os.path.isfile(blocked) else reason(error)
        raise UserError(f"The store cannot be kept in {folder}: {why}.") from None


def _user_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir(WORKING_TITLE, appauthor=False))
