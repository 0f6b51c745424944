"""Who may read a store on this machine: its owner alone, unless its folder was made for several people to write to."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

FOLDER, FILE = 0o700, 0o600


def is_shared(folder: Path) -> bool:
    """Whether others may write there, which was allowed on purpose (a temporary folder's sticky bit does not count)."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return bool(mode & (stat.S_IWGRP | stat.S_IWOTH)) and not mode & stat.S_ISVTX


def make_private(path: Path) -> None:
    """Take away what others may do with a file or folder of ours; nothing where it is not there or not ours."""
    with contextlib.suppress(OSError):
        about = path.lstat()
        ours = not hasattr(os, "getuid") or about.st_uid == os.getuid()
        if ours and about.st_mode & 0o077 and not path.is_symlink():
            path.chmod(stat.S_IMODE(about.st_mode) & 0o700)


def touch(path: Path, mode: int) -> None:
    """Make an empty file, if there is none: SQLite would make it readable for all, and gives its log what the file has.

    Raises ``OSError``.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
