"""An image folder: ``train/<class>/…`` and ``test/<class>/…``, or one tree ``<class>/…``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unlearn_core.datasets._images.decode import open_picture
from unlearn_core.datasets._images.listing import (
    SPLIT_NAMES,
    SUFFIXES,
    UNSPLIT,
    Collection,
    Listing,
    Picture,
    are,
    check_count,
    make_listing,
    some,
)
from unlearn_core.deferring import counted
from unlearn_core.errors import UserError


@dataclass(frozen=True)
class FoundFile:
    """One file below the root: its path with slashes, bytes, modification time in nanoseconds."""

    path: str
    size: int
    changed: int


class Folder(Collection):
    """Files are listed once, in the order of their paths; links to folders inside a class are not followed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        found = []
        for file in _files(path, ""):
            found.append(file)
            check_count(len(found), f"The folder {str(path)!r}")
        self.files = sorted(found, key=lambda file: file.path)
        self._kept: list[int] = []

    def signature(self) -> str:
        return digest(f"{file.path}\0{file.size}\0{file.changed}" for file in self.files)

    def content(self) -> str:
        return digest(f"{file.path}\0{hash_file(self.path / file.path)}" for file in counted(self.files))

    def listing(self) -> Listing:
        where = f"The folder {str(self.path)!r}"
        return arrange([file.path for file in self.files], where, _empty_classes(self.path))

    def picture(self, k: int) -> Picture:
        return open_picture(self.path / self._name(k))

    def _name(self, k: int) -> str:
        if not self._kept:
            where = {file.path: position for position, file in enumerate(self.files)}
            self._kept = [where[name] for name in self.listing().names]
        return self.files[self._kept[k]].path


def arrange(paths: list[str], where: str, problems: Iterable[str] = ()) -> Listing:
    """Class and split of every path, from its folders; raises :class:`UserError` where the layout is none of the two."""
    if not paths:
        raise UserError(f"{where} has no images in it; expected train/<class>/… and test/<class>/…, or <class>/….")
    parts = [path.split("/") for path in paths]
    while len({part[0] for part in parts}) == 1 and all(len(part) > 2 for part in parts) and not _is_split(parts[0][0]):
        parts = [part[1:] for part in parts]  # one folder around everything, as zips often have
    # "train" alone is enough to tell the layouts apart; a class that is called so beside other classes is not.
    tops = {part[0].lower() for part in parts if len(part) > 1}
    divided = bool(tops & {"train", "training"}) and tops <= set(SPLIT_NAMES)
    depth = 2 if divided else 1
    loose = [path for path, part in zip(paths, parts, strict=True) if len(part) <= depth]
    kept = [(path, part) for path, part in zip(paths, parts, strict=True) if len(part) > depth]
    found = list(problems)
    if loose:
        lie = "lies" if len(loose) == 1 else "lie"
        found.append(f"{some(loose)} {lie} outside of the class folders and {are(loose)} left out.")
    if not kept:
        raise UserError(f"{where} has images but no class folders; expected train/<class>/… and test/<class>/…, or <class>/….")
    splits = [SPLIT_NAMES[part[0].lower()] if divided else UNSPLIT for _, part in kept]
    return make_listing([path for path, _ in kept], [part[depth - 1] for _, part in kept], splits, where=where, problems=found)


def _is_split(name: str) -> bool:
    return name.lower() in SPLIT_NAMES


def _files(root: Path, prefix: str, depth: int = 0) -> Iterator[FoundFile]:
    try:
        with os.scandir(root / prefix) as entries:
            for entry in entries:
                if entry.name.startswith((".", "__MACOSX")):
                    continue
                # The folder of a split or a class may be a link; deeper, links could lead around in circles.
                if entry.is_dir(follow_symlinks=depth < 2):
                    if depth < 8:
                        yield from _files(root, f"{prefix}{entry.name}/", depth + 1)
                elif os.path.splitext(entry.name)[1].lower() in SUFFIXES and entry.is_file():
                    about = entry.stat()
                    yield FoundFile(prefix + entry.name, about.st_size, about.st_mtime_ns)
    except OSError as error:
        raise UserError(f"The folder {str(root / prefix)!r} cannot be read: {error.strerror or error}.") from None


def _empty_classes(root: Path) -> list[str]:
    """One sentence for folders on the level of the classes that hold nothing at all."""
    tops = [entry for entry in sorted(root.iterdir()) if entry.is_dir() and not entry.name.startswith((".", "__MACOSX"))]
    divided = bool(tops) and all(top.name.lower() in SPLIT_NAMES for top in tops)
    classes = [entry for top in tops for entry in sorted(top.iterdir()) if entry.is_dir()] if divided else tops
    empty = [entry.relative_to(root).as_posix() for entry in classes if next(entry.iterdir(), None) is None]
    return [f"{some(empty)} {are(empty)} empty."] if empty else []


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        # An unreadable file becomes a listed problem when it is decoded; until then its error stands for its content.
        return f"unreadable: {error.errno}"


def digest(lines: Iterable[str]) -> str:
    """SHA-256 over lines of text."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
