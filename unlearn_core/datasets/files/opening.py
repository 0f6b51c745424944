"""What lies at a path: whether there is anything, and which kind of collection."""

from __future__ import annotations

from pathlib import Path

from unlearn_core.datasets.files.archive import Archive
from unlearn_core.datasets.files.folder import Folder
from unlearn_core.datasets.files.listing import Collection
from unlearn_core.datasets.files.manifest import Manifest
from unlearn_core.datasets.files.npz import Npz
from unlearn_core.errors import UserError
from unlearn_core.support.typed_paths import typed_path

KINDS: dict[str, type[Collection]] = {
    ".zip": Archive,
    ".npz": Npz,
    ".csv": Manifest,
    ".tsv": Manifest,
    ".parquet": Manifest,
    ".pq": Manifest,
}
OTHER_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar")


def open_collection(path: Path) -> Collection:
    """The collection at ``path``; raises :class:`UserError` for files of another kind."""
    if path.is_dir():
        return Folder(path)
    if path.name.lower().endswith(OTHER_ARCHIVES):
        raise UserError(
            f"{str(path)!r} is an archive of a kind that is not read: unpack it and give the folder, or pack it as a zip."
        )
    kind = KINDS.get(path.suffix.lower())
    if kind is None or not path.is_file():
        raise UserError(
            f"{str(path)!r} is no folder of images, and its name ends in none of {', '.join(KINDS)}, which can be read too."
        )
    return kind(path)


def check_path(text: str) -> Path:
    """An absolute path that exists; raises :class:`UserError` in one sentence."""
    path = typed_path(text, "the data")
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"There is nothing at {str(path)!r}; a folder of images, a zip, a table or an .npz can be read."
        ) from None
    except OSError as error:  # no permission on the way, say
        reason = str(error.strerror or error).rstrip(".")
        raise UserError(f"{text[:200]!r} cannot be opened: {reason}.") from None
    return path
