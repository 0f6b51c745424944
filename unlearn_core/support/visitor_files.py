"""Files that strangers hand over to a public server: each session's own, within a quota, deleted when they have expired.

A name holds whose it is and a hash that only this session could have made, so that neither a guess nor somebody who has the
same file finds it. Links carry the name and no path.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import time
from pathlib import Path
from typing import Final

from unlearn_core.errors import UserError
from unlearn_core.support.limits import Limits
from unlearn_core.support.uploads import KINDS, write_whole

KEY_FILE: Final = "visitors.key"
LINKED: Final = "upload:"
"""How the link of a view begins to name such a file."""
_NAME: Final = re.compile(r"[0-9a-f]{12}-[0-9a-f]{32}\.(?:zip|npz)")
_MB: Final = 2**20
_HALF_WRITTEN: Final = 3600.0


def server_key(folder: Path) -> bytes:
    """The server's own secret, made once and kept in ``folder`` (0600): names that follow from it are found by no search of a
    stranger's. Where it can be neither read nor written it lasts as long as the process."""
    path, fresh = folder / KEY_FILE, secrets.token_bytes(32)
    with contextlib.suppress(OSError):
        folder.mkdir(0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, fresh)
        finally:
            os.close(handle)
    with contextlib.suppress(OSError):
        found = path.read_bytes()
        return found if len(found) == len(fresh) else fresh
    return fresh


def keep(folder: Path, name: str, data: bytes, owner: str, secret: str, limits: Limits) -> Path:
    """Keep ``data`` of this ``owner`` (12 hexadecimal digits); the same bytes of one session give the same file.

    ``secret``: what only this session knows. Of ``name`` only the ending is used. Raises :class:`UserError` for what is of
    another kind, larger than the limits allow, or cannot be written.
    """
    kind = next((kind for kind in KINDS if name.lower().endswith(kind)), None)
    if kind is None:
        raise UserError(f"{name[-60:]!r} cannot be handed over: {' or '.join(KINDS)} can.")
    if len(data) > limits.upload_mb * _MB:
        raise UserError(
            f"A file may have {limits.upload_mb} MB here; this one has {-(-len(data) // _MB)}. Hand over fewer images."
        )
    digest = hashlib.sha256(secret.encode() + b"\0" + hashlib.sha256(data).digest()).hexdigest()[:32]
    target = folder / f"{owner}-{digest}{kind}"
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        sweep(folder, limits)
        if target.exists():
            os.utime(target)
            return target
        _check_room(folder, owner, len(data), limits)
        write_whole(target, data)
    except OSError as error:
        raise UserError(f"The file cannot be kept here: {error.strerror or 'the disk refuses'}.") from None
    return target


def sweep(folder: Path, limits: Limits) -> int:
    """Delete what has expired, and what a killed process left half-written; returns how many of the first."""
    now, gone = time.time(), 0
    for path, about in _files(folder):
        if _NAME.fullmatch(path.name) and now - about.st_mtime > limits.upload_hours * 3600:
            path.unlink(missing_ok=True)
            gone += 1
        elif path.suffix == ".tmp" and now - about.st_mtime > _HALF_WRITTEN:
            path.unlink(missing_ok=True)
    return gone


def in_link(path: str) -> str:
    """What a link says for this path: the name of a stranger's file, or the path as it is."""
    name = os.path.basename(path)
    return LINKED + name if _NAME.fullmatch(name) else path


def of_link(text: str, folder: Path) -> str:
    """The path of the file that a link names; "" for anything that is no such name."""
    name = text.removeprefix(LINKED)
    return str(folder / name) if text.startswith(LINKED) and _NAME.fullmatch(name) else ""


def owned(path: str, folder: Path, owner: str = "") -> bool:
    """Whether this path is a stranger's file in ``folder``, of this ``owner`` where one is named."""
    name = os.path.basename(path)
    return str(folder / name) == path and _NAME.fullmatch(name) is not None and name.startswith(f"{owner}-" if owner else "")


def _check_room(folder: Path, owner: str, coming: int, limits: Limits) -> None:
    sizes = [(path.name, about.st_size) for path, about in _files(folder) if _NAME.fullmatch(path.name)]
    mine = coming + sum(size for name, size in sizes if name.startswith(f"{owner}-"))
    if mine > limits.uploads_mb * _MB:
        raise UserError(
            f"Your files may have {limits.uploads_mb} MB together here; with this one they have {-(-mine // _MB)}. They are "
            f"deleted {limits.upload_hours} hours after they were handed over."
        )
    if coming + sum(size for _, size in sizes) > limits.uploads_all_mb * _MB:
        raise UserError(
            f"This server keeps {limits.uploads_all_mb} MB of files that were handed over, and they are used up. Try again "
            "later."
        )


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process sweeps too
                found.append((path, path.lstat()))
    return found
