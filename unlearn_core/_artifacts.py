"""Array files beside the store's database: written under a temporary name, fsynced, renamed, checked when read.

A file is named after its content, so two processes that put the same record never overwrite each other's bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

GRACE = 600.0
"""Seconds a file without a row, or a temporary file, is left alone: somebody may be about to record it."""

SUFFIX, TEMPORARY = ".safetensors", ".tmp"


@dataclass(frozen=True)
class FileEntry:
    """One stored file: ``name`` of the array group, ``path`` relative to the artifact folder, size in bytes, SHA-256."""

    name: str
    path: str
    size: int
    sha256: str


class Artifacts:
    """The folder of array files."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, key: str, name: str, group: Mapping[str, np.ndarray]) -> FileEntry:
        """Write one group of arrays durably; raises ``OSError`` and leaves nothing behind when it cannot."""
        from safetensors.numpy import save

        data = save({k: np.asarray(v, order="C") for k, v in group.items()}, metadata={"key": key, "name": name})
        digest = hashlib.sha256(data).hexdigest()
        entry = FileEntry(name, f"{key[:2]}/{key}-{name}-{digest[:16]}{SUFFIX}", len(data), digest)
        target = self.root / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}{TEMPORARY}")
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            _sync_folder(target.parent)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        return entry

    def read(self, entry: FileEntry) -> dict[str, np.ndarray] | None:
        """The arrays of one file, or None if it is missing or its bytes are not the ones that were recorded."""
        from safetensors.numpy import load

        try:
            data = (self.root / entry.path).read_bytes()
        except OSError:
            return None
        if len(data) != entry.size or hashlib.sha256(data).hexdigest() != entry.sha256:
            return None
        return load(data)

    def intact(self, entry: FileEntry) -> bool:
        """Whether the file is there with the recorded size (the cheap check; :meth:`read` compares the hash)."""
        try:
            return (self.root / entry.path).stat().st_size == entry.size
        except OSError:
            return False

    def remove(self, path: str) -> None:
        """Remove one file if it is there."""
        with contextlib.suppress(OSError):
            (self.root / path).unlink(missing_ok=True)

    def sweep(self, known: set[str]) -> int:
        """Remove temporary files, and files that no row knows, older than :data:`GRACE`; returns how many."""
        removed = 0
        for path in self._old_files():
            if path.name.endswith(TEMPORARY) or path.relative_to(self.root).as_posix() not in known:
                with contextlib.suppress(OSError):
                    # Asked again directly before: a writer may have put the same content there in the meantime.
                    if time.time() - path.stat().st_mtime > GRACE:
                        path.unlink()
                        removed += 1
        return removed

    def _old_files(self) -> Iterator[Path]:
        for shard in self.root.glob("[0-9a-z][0-9a-z]"):
            with contextlib.suppress(OSError):
                for path in shard.iterdir():
                    if path.name.endswith((SUFFIX, TEMPORARY)) and time.time() - path.stat().st_mtime > GRACE:
                        yield path


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system lets a folder be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
