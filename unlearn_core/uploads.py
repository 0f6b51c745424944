"""Files that somebody hands over in the browser: kept beside the store's results under the hash of what they hold."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from pathlib import Path

from unlearn_core.errors import UserError

MAX_BYTES = 200 * 2**20
KINDS = (".zip", ".npz")
"""What can be read without the files around it; a table of paths cannot, it names files beside it."""


def keep(folder: Path, name: str, data: bytes) -> Path:
    """Keep ``data`` in ``folder``; the same bytes give the same file. Raises :class:`UserError` for what is too large, of
    another kind, or cannot be written.

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
    temporary = folder / f"{uuid.uuid4().hex}.tmp"
    try:
        if target.exists() and target.stat().st_size == len(data):
            return target
        folder.mkdir(0o700, parents=True, exist_ok=True)
        temporary.touch(0o600)
        temporary.write_bytes(data)
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise UserError(f"The file cannot be kept in {str(folder)!r}: {error.strerror or error}.") from None
    return target
