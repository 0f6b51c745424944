"""Labelled JPEG files from a tar archive or a folder to arrays, decoded by several processes. Imports no torch.

Layout: ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``; the classes are numbered by the order of their names.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import tarfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

HALVES = ("train", "test")
KINDS = (".jpg", ".jpeg", ".png")
CHUNK = 1000
"""Images that a worker decodes at a time."""


class NoData(Exception):
    """The data cannot be used, in one sentence."""


@dataclass(frozen=True)
class Half:
    """``pixels``: uint8 (N, 3, H, W); ``labels``: int64 (N,)."""

    pixels: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Photographs:
    """Both halves of a set, and the names of its classes."""

    train: Half
    test: Half
    classes: tuple[str, ...]


def read(path: Path, counts: tuple[int, int], workers: int = 0) -> Photographs:
    """The first images of every class, ``counts`` (train, test) in all, evenly over the classes.

    ``workers``: processes; 0 for one a core, 1 for none but this one. Raises :class:`NoData` for what holds no such images, or
    too few of them.
    """
    found = _chosen(sorted(_files(path)), counts)
    classes = tuple(sorted({name for _, name, _ in found}))
    decoded = _decode([data for *_, data in found], workers or os.cpu_count() or 1)
    number = {name: k for k, name in enumerate(classes)}
    labels = np.array([number[name] for _, name, _ in found], dtype=np.int64)
    train = np.array([half == "train" for half, *_ in found])
    return Photographs(Half(decoded[train], labels[train]), Half(decoded[~train], labels[~train]), classes)


def _files(path: Path) -> Iterator[tuple[str, str, str, bytes]]:
    """(half, class, file name, content) of every image."""
    if not path.exists():
        raise NoData(f"There is nothing at {str(path)!r}: give the tar archive or the folder of the images with --data.")
    for name, content in _folder(path) if path.is_dir() else _archive(path):
        parts = PurePosixPath(name).parts[-3:]
        if len(parts) == 3 and parts[0] in HALVES and parts[2].lower().endswith(KINDS):
            yield parts[0], parts[1], parts[2], content


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in path.glob("**/*"):
        if file.is_file():
            yield file.relative_to(path).as_posix(), file.read_bytes()


def _archive(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path, "r|*") as archive:  # one pass: going back in a compressed stream starts it anew
            for member in archive:
                if member.isfile() and (content := archive.extractfile(member)) is not None:
                    yield member.name, content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise NoData(f"{str(path)!r} cannot be read as a tar archive: {error}.") from None


def _chosen(files: list[tuple[str, str, str, bytes]], counts: tuple[int, int]) -> list[tuple[str, str, bytes]]:
    """The first of every class and half, in order."""
    classes = sorted({name for half, name, *_ in files if half == "train"})
    if len(classes) < 2:
        raise NoData("There are no images in train/<class>/ of at least two classes.")
    chosen = []
    for half, count in zip(HALVES, counts, strict=True):
        each = max(1, count // len(classes))
        for name in classes:
            mine = [data for its, kind, _, data in files if its == half and kind == name]
            if len(mine) < each:
                raise NoData(f"{half}/{name} has {len(mine)} images, and {each} are needed; a smaller --scale takes fewer.")
            chosen += [(half, name, data) for data in mine[:each]]
    return chosen


def _decode(files: list[bytes], workers: int) -> np.ndarray:
    """All images as uint8 (N, 3, H, W). Where processes cannot be started, threads do it."""
    chunks = [files[k : k + CHUNK] for k in range(0, len(files), CHUNK)]
    if workers == 1 or len(chunks) == 1:
        return np.concatenate([decode_chunk(chunk) for chunk in chunks])
    try:
        # Started anew, not forked: a fork of a process with threads can hang, and these import neither torch nor CUDA.
        with ProcessPoolExecutor(min(workers, len(chunks)), multiprocessing.get_context("spawn")) as pool:
            return np.concatenate(list(pool.map(decode_chunk, chunks)))
    except (BrokenProcessPool, OSError):
        with ThreadPoolExecutor(workers) as threads:
            return np.concatenate(list(threads.map(decode_chunk, chunks)))


def decode_chunk(files: list[bytes]) -> np.ndarray:
    """These images, all of one size, as uint8 (n, 3, H, W)."""
    images = []
    for content in files:
        with Image.open(io.BytesIO(content)) as image:
            images.append(np.asarray(image.convert("RGB")))
    return np.stack(images).transpose(0, 3, 1, 2).copy()
