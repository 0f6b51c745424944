"""Files that the user hands over in the browser: kept beside the store's results under the hash of what they hold."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import uuid
from pathlib import Path

from unlearn_core.errors import UserError

MAX_BYTES = 200 * 2**20
MAX_TOTAL = 2 * 2**30
"""All files that were handed over together; where another would not fit, those that were used longest ago go first."""
RECENT, ABANDONED = 24 * 3600.0, 3600.0
"""Seconds: a file that was used within the first stays, a half-written one that is older than the second does not."""
KINDS = (".zip", ".npz")
"""What can be read without the files around it; a table of paths cannot, it names files beside it."""


def keep(folder: Path, name: str, data: bytes) -> Path:
    """Keep ``data`` in ``folder``; the same bytes give the same file. Raises :class:`UserError` for what is too large, of
    another kind, cannot be written, or does not fit beside what others handed over within a day (:data:`MAX_TOTAL`).

    Of ``name`` only the ending is used: nothing is ever written outside of ``folder``.
    """
    kind = next((kind for kind in KINDS if name.lower().endswith(kind)), None)
    if kind is None:
        raise UserError(
            f"{name[-60:]!r} cannot be handed over: {' or '.join(KINDS)} can. Give the path of a folder or a table instead."
        )
    if len(data) > MAX_BYTES:
        raise UserError(f"{name[-60:]!r} is larger than {MAX_BYTES >> 20} MB; give its path instead.")
    target = folder / f"{hashlib.sha256(data).hexdigest()[:32]}{kind}"
    try:
        if target.exists() and target.stat().st_size == len(data):
            os.utime(target, (time.time(), target.stat().st_mtime))  # used now, changed when it was
            return target
        folder.mkdir(0o700, parents=True, exist_ok=True)
        _make_room(folder, len(data))
        write_whole(target, data)
    except OSError as error:
        raise UserError(f"The file cannot be kept in {str(folder)!r}: {error.strerror or error}.") from None
    return target


def write_whole(target: Path, data: bytes) -> None:
    """Write a file that is private to its user and there whole or not at all. Raises OSError, and leaves nothing then."""
    temporary = target.with_name(f"{uuid.uuid4().hex}.tmp")
    try:
        temporary.touch(0o600)
        temporary.write_bytes(data)
        temporary.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _make_room(folder: Path, coming: int) -> None:
    """Sweep what a killed process left half-written, then the files that were used longest ago until ``coming`` bytes fit.

    The time of the last use is the later one of reading and writing; decoded images of a swept file stay in the cache.
    """
    now, found = time.time(), []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process sweeps too
            about = path.stat()
            used = max(about.st_atime, about.st_mtime)
            if path.suffix == ".tmp" and now - about.st_mtime > ABANDONED:
                path.unlink()
            elif path.suffix in KINDS:
                found.append((used, about.st_size, path))
    total = coming + sum(size for _, size, _ in found)
    old = [(size, path) for used, size, path in sorted(found) if now - used > RECENT]
    staying = total - coming - sum(size for size, _ in old)
    if staying + coming > MAX_TOTAL:
        raise UserError(
            f"The files that were handed over or read within a day have {staying / 2**30:.1f} GB, and at most "
            f"{MAX_TOTAL / 2**30:g} GB are kept; give the path of this one instead."
        )
    for size, path in old:
        if total <= MAX_TOTAL:
            return
        path.unlink(missing_ok=True)
        total -= size
