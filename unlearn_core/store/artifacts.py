"""Array files beside the store's database: written under a temporary name, fsynced, renamed, checked when read.

A file is named after its content, so two processes that put the same record never overwrite each other's bytes. The
folder carries the id of its store: rows are only called damaged while the folder is really theirs, not while a disk is
not mounted or an address names another folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unlearn_core.errors import UserError
from unlearn_core.store.privacy import FILE, FOLDER
from unlearn_core.store.records import reason
from unlearn_core.support.working_title import WORKING_TITLE

GRACE = 600.0
"""Seconds a file without a row, or a temporary file, is left alone: a writer may be about to record it."""

SUFFIX, TEMPORARY = ".safetensors", ".tmp"
_OWNER = "store-id"


@dataclass(frozen=True)
class FileEntry:
    """One stored file: ``name`` of the array group, ``path`` relative to the artifact folder, size in bytes, SHA-256."""

    name: str
    path: str
    size: int
    sha256: str


class Artifacts:
    """The folder of array files."""

    def __init__(self, root: Path, private: bool = True) -> None:
        """``private``: new files are for this user alone."""
        self.root = root
        self._file, self._folder = (FILE, FOLDER) if private else (0o666, 0o777)

    def write(self, key: str, name: str, group: Mapping[str, np.ndarray]) -> FileEntry:
        """Write one group of arrays durably; raises ``OSError`` and leaves nothing behind when it cannot."""
        from safetensors.numpy import save

        # One entry: safetensors writes several in an order of their own each time, and equal content has to be equal bytes.
        data = save({k: np.asarray(v, order="C") for k, v in group.items()}, metadata={WORKING_TITLE: f"{key} {name}"})
        digest = hashlib.sha256(data).hexdigest()
        entry = FileEntry(name, path_of(key, name, digest), len(data), digest)
        self.put(entry, data)
        return entry

    def put(self, entry: FileEntry, data: bytes) -> None:
        """Write the bytes of one file durably; raises ``OSError`` as :meth:`write` does."""
        target = self.root / entry.path
        # Not the folder itself: where it is gone, another place would be filled.
        target.parent.mkdir(self._folder, exist_ok=True)
        _write_durably(target, data, self._file)

    def owner(self) -> str | None:
        """The id of the store that this folder belongs to, None where it carries none; raises ``OSError``."""
        try:
            return (self.root / _OWNER).read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def claim(self, store_id: str) -> None:
        """Note whose folder this is; raises ``OSError``."""
        _write_durably(self.root / _OWNER, f"{store_id}\n".encode(), self._file)

    def has_files(self) -> bool:
        """Whether any array file is here, of this store or another."""
        return next(self.root.glob(f"[0-9a-z][0-9a-z]/*{SUFFIX}"), None) is not None

    def read(self, entry: FileEntry) -> dict[str, np.ndarray] | None:
        """The arrays of one file, or None if it is missing or its bytes are not the ones that were recorded.

        Raises ``OSError`` where the file is there and cannot be read: that says nothing about its content.
        """
        from safetensors.numpy import load

        data = self.data(entry)
        return None if data is None else load(data)

    def data(self, entry: FileEntry) -> bytes | None:
        """The bytes of one file, or None, as :meth:`read`."""
        try:
            data = (self.root / entry.path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return data if len(data) == entry.size and hashlib.sha256(data).hexdigest() == entry.sha256 else None

    def intact(self, entry: FileEntry) -> bool:
        """Whether the file is there with the recorded size (the cheap check; :meth:`read` compares the hash)."""
        try:
            return (self.root / entry.path).stat().st_size == entry.size
        except (FileNotFoundError, NotADirectoryError):
            return False

    def remove(self, path: str) -> None:
        """Remove one file if it is there."""
        with contextlib.suppress(OSError):
            (self.root / path).unlink(missing_ok=True)

    def listing(self) -> dict[str, tuple[int, bool]]:
        """Path, relative to the folder, of every temporary and array file → its size, and whether it is older than
        :data:`GRACE`."""
        found, young = {}, time.time() - GRACE
        for shard in self.root.glob("[0-9a-z][0-9a-z]"):
            folder = f"{shard.name}/"
            with contextlib.suppress(OSError), os.scandir(shard) as entries:
                for entry in entries:
                    if (name := entry.name).endswith((SUFFIX, TEMPORARY)):
                        about = entry.stat()
                        found[folder + name] = (about.st_size, about.st_mtime < young)
        return found

    def sweep(self, paths: Iterable[str]) -> int:
        """Remove those of these files that are still old; returns how many."""
        removed = 0
        for path in paths:
            # Asked again directly before: a writer may have put the same content there in the meantime.
            if _is_old(self.root / path):
                self.remove(path)
                removed += 1
        return removed


def path_of(key: str, name: str, sha256: str) -> str:
    """Where, relative to the folder, the file of one array group lies."""
    return f"{key[:2]}/{key}-{name}-{sha256[:16]}{SUFFIX}"


@contextlib.contextmanager
def explain_file_errors(doing: str) -> Iterator[None]:
    """Turn a refusal of the file system into one sentence; ``doing``: "read" or "write"."""
    try:
        yield
    except OSError as error:
        raise UserError(f"The store cannot {doing} its files: {reason(error)}.") from None


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > GRACE
    except OSError:
        return False


def _write_durably(target: Path, data: bytes, mode: int) -> None:
    """All of the file or nothing, also after a power cut."""
    temporary = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}{TEMPORARY}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system lets a folder be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
