"""Temporary folders for this user alone that never stay behind: those of killed processes go when the next one is made."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: a folder stays while one of its files is open, and that is lock enough
    fcntl = None  # type: ignore[assignment]

PREFIX = "lethe-scratch-"
_LOCK = "in-use"
_LONGEST = 48
"""Characters of a temporary folder below which the sockets of multiprocessing still have names that the system takes (104)."""
_YOUNG_SECONDS = 60.0
"""A folder without its lock may be one that is being made right now."""


def make_scratch() -> tuple[str, int]:
    """A new private folder in the temporary folder, and the descriptor of its lock, which :func:`drop_scratch` takes.

    Folders whose owners have died, killed ones too, are removed first: the system gives a lock back with its process.
    """
    sweep_scratch()
    while True:
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=_place())
        lock = hold_scratch(folder)
        if os.path.exists(os.path.join(folder, _LOCK)):
            return folder, lock
        os.close(lock)  # another process swept between its making and its locking, and took it for one that was left


def hold_scratch(folder: str) -> int:
    """Keep a scratch folder as long as this process lives, also one that another made; several may. Raises ``OSError``."""
    lock = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    if fcntl is not None:
        fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def drop_scratch(folder: str, lock: int) -> None:
    """Remove a scratch folder. Killed processes may still write to it for a moment, so it is tried for a second."""
    with contextlib.suppress(OSError):
        os.close(lock)
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.05)


@contextlib.contextmanager
def scratch_folder() -> Iterator[str]:
    """A scratch folder for the length of a ``with`` block."""
    folder, lock = make_scratch()
    try:
        yield folder
    finally:
        drop_scratch(folder, lock)


def sweep_scratch() -> int:
    """Remove this user's scratch folders that no living process holds; returns how many."""
    removed = 0
    for folder in Path(_place()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if _ours(folder) and _left(folder):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed


def _place() -> str:
    """The temporary folder; the system's, where the one that is configured has too long a name."""
    asked = tempfile.gettempdir()
    return "/tmp" if len(os.fsencode(asked)) > _LONGEST and os.access("/tmp", os.W_OK) else asked


def _ours(folder: Path) -> bool:
    """Whether it is a folder of this user: in a temporary folder any user may put a link of any name."""
    about = folder.lstat()
    mine = not hasattr(os, "getuid") or about.st_uid == os.getuid()
    return mine and folder.is_dir() and not folder.is_symlink()


def _left(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > _YOUNG_SECONDS
    try:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:  # held
        return False
    finally:
        os.close(lock)
