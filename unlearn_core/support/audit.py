"""Who did what on a public server: one line of JSON each, in a file that only the operator may read, rotated by size."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import threading
from pathlib import Path
from typing import Final

NAME: Final = "audit.jsonl"
MAX_BYTES: Final = 5 * 2**20
KEPT: Final = 4
"""Files that are kept beside the present one: audit.jsonl.1 is the latest of them."""
MAX_TEXT: Final = 200
_lock = threading.Lock()


def note(folder: Path, event: str, session: str, *, person: str = "", address: str = "", what: str = "", job: str = "") -> None:
    """Add one line: ``event`` (started, cancelled, uploaded, refused) by ``session``, a short hash that leads to nobody.

    ``person``: the name that was signed in with; ``address``: the network address, where it is known; ``what``: a title, or a
    file's size and hash; ``job``: its id. A disk that refuses ends no request: the server's own log then has the line.
    """
    given = {"session": session, "person": person, "address": address, "what": what[:MAX_TEXT], "job": job}
    line = {"time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "event": event}
    text = json.dumps(line | {name: value for name, value in given.items() if value}, ensure_ascii=True)
    with _lock:
        try:
            _append(folder / NAME, text + "\n")
        except OSError as error:
            print(f"The audit log cannot be written ({error.strerror or error}): {text}", flush=True)


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size + len(text) > MAX_BYTES:
            _rotate(path)
    # In one call: lines of two processes on one store do not mix. Never through a link that somebody put there.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def _rotate(path: Path) -> None:
    for number in range(KEPT, 1, -1):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(f"{NAME}.{number - 1}").replace(path.with_name(f"{NAME}.{number}"))
    path.replace(path.with_name(f"{NAME}.1"))
