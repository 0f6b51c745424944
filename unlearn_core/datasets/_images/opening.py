"""Which kind of collection lies at a path."""

from __future__ import annotations

from pathlib import Path

from unlearn_core.datasets._images.folder import Folder
from unlearn_core.datasets._images.listing import Collection
from unlearn_core.errors import UserError


def open_collection(path: Path) -> Collection:
    """The collection at ``path``; raises :class:`UserError` for files of another kind."""
    if path.is_dir():
        return Folder(path)
    raise UserError(f"{str(path)!r} is no folder of images.")
