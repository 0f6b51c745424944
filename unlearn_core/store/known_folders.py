"""Making the place of a SQLite store, and knowing which folders have held one: where it is gone its disk is away.

A note is an empty file, named after the folder, in the user's state folder. The default place, and temporary folders, are not
noted: they come and go with the machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

import sqlalchemy as sa

from unlearn_core.errors import UserError
from unlearn_core.store.location import UPLOADS, make_folder
from unlearn_core.store.privacy import FILE, is_shared, make_private, touch
from unlearn_core.store.records import reason
from unlearn_core.support.working_title import WORKING_TITLE


def make_place(database: Path, artifacts: Path, default: bool, create: bool) -> None:
    """The folder of a SQLite store and its empty file, for this user alone; older ones are made so too.

    ``default``: the place was not chosen. Raises :class:`UserError` where there is no store and none is to be made
    (``create``), and where a disk seems to be away.
    """
    folder = database.parent
    if not create and not database.exists():
        raise UserError(f"There is no store in {folder}.")
    _check_place(folder, database, default)
    make_folder(folder, private=True)
    shared = is_shared(folder)
    try:
        touch(database, 0o666 if shared else FILE)
    except OSError as error:
        raise UserError(f"The store cannot be kept in {folder}: {reason(error)}.") from None
    for path in (
        () if shared else (database, Path(f"{database}-wal"), Path(f"{database}-shm"), artifacts, artifacts.parent / UPLOADS)
    ):
        make_private(path)


def private_files(url: sa.URL) -> bool:
    """Whether array files are for this user alone. Who uses a database server's folder is for those who made it to say."""
    return url.get_backend_name() == "sqlite" and not is_shared(Path(str(url.database)).parent)


def _check_place(folder: Path, database: Path, default: bool) -> None:
    """Raise :class:`UserError` where a new store would only be made because a disk is not mounted."""
    if database.exists() or default:
        return
    if _note(folder).exists() and not _temporary(folder):
        raise UserError(
            f"The store that was in {folder} is not there any more: is its disk not mounted? To begin a new one there: "
            f"mkdir -p '{folder}' && touch '{database}'"
        )
    above = folder.parent
    if not folder.exists() and not above.exists():
        blocked = next((one for one in above.parents if one.exists()), above)
        if blocked.is_dir():
            raise UserError(
                f"The store cannot be kept in {folder}: there is no folder {above}. Is its disk not mounted? Otherwise make "
                "that folder first."
            )


def remember_place(folder: Path, default: bool) -> None:
    """Note that this folder holds a store; a machine where nothing can be noted does without."""
    if default or _temporary(folder):
        return
    with contextlib.suppress(OSError):
        note = _note(folder)
        if not note.exists():
            note.parent.mkdir(parents=True, exist_ok=True)
            note.touch()


def _note(folder: Path) -> Path:
    import platformdirs

    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]
    return Path(platformdirs.user_state_dir(WORKING_TITLE, appauthor=False)) / "stores" / name


def _temporary(folder: Path) -> bool:
    return folder.is_relative_to(os.path.realpath(tempfile.gettempdir())) or folder.is_relative_to(tempfile.gettempdir())
