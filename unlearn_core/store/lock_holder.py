"""Which process of this machine holds the write lock of a SQLite file: Linux tells, elsewhere nobody is named."""

from __future__ import annotations

import os
from pathlib import Path

_LOCKS = Path("/proc/locks")
_WRITE_BYTE = 120
"""Of the file ``-shm``: SQLite's WAL_WRITE_LOCK (https://www.sqlite.org/walformat.html)."""


def who_holds(database: Path) -> str:
    """The holder in words, with what helps where it is stopped; "" where that cannot be known."""
    import psutil

    try:
        (number,) = {number for number in _holders(database) if number != os.getpid()}
        process = psutil.Process(number)
        name, stopped = process.name(), process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except (OSError, ValueError, psutil.Error):
        return ""
    who = f"process {number} ({name})"
    return f"{who}, which is stopped; continue it (kill -CONT {number}) or end it (kill -9 {number})" if stopped else who


def _holders(database: Path) -> set[int]:
    """Processes with a lock on the byte that a writer locks; raises ``OSError``, and ``ValueError`` for a line that is none."""
    number = os.stat(f"{database}-shm").st_ino
    found = set()
    for line in _LOCKS.read_text().splitlines():
        words = line.replace("-> ", "").split()  # 1: POSIX ADVISORY WRITE process device:device:file first last
        if "->" in line or len(words) < 8 or words[3] != "WRITE" or int(words[5].rpartition(":")[2]) != number:
            continue
        if int(words[6]) <= _WRITE_BYTE and (words[7] == "EOF" or int(words[7]) >= _WRITE_BYTE):
            found.add(int(words[4]))
    return found
