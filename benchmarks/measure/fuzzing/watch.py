"""Which files a process changes, told by the interpreter's own audit events."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PATHS = {
    "os.mkdir": (0,),
    "os.rename": (0, 1),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.link": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "shutil.rmtree": (0,),
    "sqlite3.connect": (0,),
}
"""Audit events that change the file system, and which of their arguments are paths (docs.python.org, "Audit events table")."""
_HARMLESS = ("/dev/", "/proc/")


class Watch:
    """Collects every path outside ``roots`` that this process writes, makes, moves or removes; it cannot be switched off."""

    def __init__(self, roots: Sequence[Path], log: Path | None = None) -> None:
        self.roots = [os.path.realpath(root) for root in roots]
        self.log = log
        self.escapes: list[str] = []
        self.inside = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.inside:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(flags & _WRITING)
            paths = (path,) if writes else ()
        else:
            paths = tuple(arguments[k] for k in _PATHS.get(event, ()))
        for path in paths:
            if not isinstance(path, str | bytes | os.PathLike):
                continue  # a file descriptor: it was opened before, and judged then
            self._judge(event, os.fsdecode(path))

    def _judge(self, event: str, path: str) -> None:
        self.inside = True
        try:
            if "\0" in path or path == ":memory:" or path.startswith("file:"):
                return
            real = os.path.realpath(path)
            allowed = real.startswith(_HARMLESS) or any(real == r or real.startswith(r + os.sep) for r in self.roots)
            # What is not there cannot be removed, and a folder that is there is not made: neither changes anything.
            idle = event == "os.mkdir" and os.path.isdir(real)
            if allowed or idle:
                return
            self.escapes.append(f"{event} {real}")
            if self.log is not None:
                with self.log.open("a", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(f"{event} {real}\n")
        finally:
            self.inside = False


def shut_in(folder: Path) -> dict[str, str]:
    """Environment variables that keep everything a well-behaved process writes below ``folder``."""
    for name in ("home", "tmp", "cache", "config", "data", "store"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "UNLEARN_STORE": str(folder / "store"),
        "UNLEARN_ENGINE": "inline",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "NUMBA_CACHE_DIR": str(folder / "cache"),
        "MPLCONFIGDIR": str(folder / "cache"),
    }
