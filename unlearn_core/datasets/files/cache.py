"""Decoded images on disk, named by their content: written aside, renamed, bounded, safe for several processes at once."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from unlearn_core.support.typed_paths import typed_path
from unlearn_core.support.working_title import WORKING_TITLE

MAX_BYTES = 4 * 2**30
"""All decoded images together; the ones that were not read for the longest time go first."""
LOCK_SECONDS = 600.0


def folder() -> Path:
    """``$UNLEARN_CACHE``, or the user's cache folder."""
    if chosen := os.environ.get("UNLEARN_CACHE"):
        return typed_path(chosen, "the cache (UNLEARN_CACHE)")
    try:
        import platformdirs
    except ImportError:  # a bare compute machine
        return Path.home() / ".cache" / WORKING_TITLE
    return Path(platformdirs.user_cache_dir(WORKING_TITLE, appauthor=False))


def read(key: str) -> dict[str, np.ndarray] | None:
    """The arrays stored under ``key``, or None; a damaged file is removed and counts as absent."""
    path = _path(key)
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        os.utime(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    return arrays


def write(key: str, arrays: dict[str, np.ndarray]) -> None:
    """Store ``arrays``; where the disk refuses, nothing is stored and the next reader decodes again."""
    path = _path(key)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        _make_private(path.parent)
        _trim(sum(array.nbytes for array in arrays.values()))
        temporary.touch(0o600)
        with temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()


def read_note(key: str) -> dict[str, Any] | None:
    """A small JSON object stored by :func:`write_note`, or None."""
    try:
        value = json.loads(_path(key, ".json").read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_note(key: str, value: dict[str, Any]) -> None:
    """Store a small JSON object; a disk that refuses is no error."""
    path = _path(key, ".json")
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    with contextlib.suppress(OSError):
        _make_private(path.parent)
        temporary.touch(0o600)
        temporary.write_text(json.dumps(value))
        temporary.replace(path)


@contextlib.contextmanager
def lock_key(key: str) -> Iterator[None]:
    """Only one process decodes what belongs to ``key``; without a writable cache, or after ten minutes, they all go on."""
    from filelock import FileLock, Timeout  # comes with torch

    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, Timeout, NotImplementedError):
            path = _path(key, ".lock")
            _make_private(path.parent)
            stack.enter_context(FileLock(path, timeout=LOCK_SECONDS))
        yield


def _make_private(images: Path) -> None:
    """The folder of decoded images, for this user alone also where an earlier version made it for all."""
    images.mkdir(0o700, parents=True, exist_ok=True)
    if images.stat().st_mode & 0o077:
        images.chmod(0o700)


def _path(key: str, suffix: str = ".npz") -> Path:
    return folder() / "images" / f"{key}{suffix}"


def _trim(coming: int) -> None:
    """Make room for ``coming`` bytes, and sweep what a killed process left behind."""
    found = []
    for path in (folder() / "images").glob("*"):
        with contextlib.suppress(OSError):
            about = path.stat()
            if path.suffix in (".npz", ".tmp"):
                found.append((about.st_mtime, about.st_size, path))
    total = coming + sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= MAX_BYTES:
            return
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
