"""An image folder: ``train/<class>/…`` and ``test/<class>/…``, or one tree ``<class>/…``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from unlearn_core.datasets.files.decode import Unreadable, open_picture
from unlearn_core.datasets.files.layout import arrange
from unlearn_core.datasets.files.listing import Collection, Listing, Picture
from unlearn_core.datasets.files.names import readable
from unlearn_core.datasets.files.order import IMAGEFOLDER, as_imagefolder, order_of
from unlearn_core.datasets.files.walk import walk
from unlearn_core.errors import UserError
from unlearn_core.support.deferring import count_items

MAX_POINTER = 1_024


class Folder(Collection):
    """Files are listed once, numbered as torchvision's ``ImageFolder``."""

    numbering = IMAGEFOLDER

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.found = walk(path)
        self.files = sorted(self.found.files, key=lambda file: file.path)
        self._listing: Listing | None = None
        self._places: dict[str, str] = {}

    def signature(self) -> str:
        """From sizes and times of every image, and from all that a sentence is about: empty folders, links, files left out."""
        files = (f"{file.path}\0{file.size}\0{file.changed}\0{file.entry_changed}" for file in self.files)
        return digest([*files, "", *sorted(self.found.folders), "", *self.found.sentences()])

    def content(self) -> str:
        return digest(f"{file.path}\0{hash_file(self.path / file.path)}" for file in count_items(self.files))

    def listing(self) -> Listing:
        if self._listing is None:
            where = f"The folder {str(self.path)!r}"
            self._places = {readable(file.path): file.path for file in self.files}
            if len(self._places) < len(self.files):
                raise UserError(f"{where} has files whose names differ only in bytes that are no UTF-8 text; rename them.")
            paths = [file.path for file in self.files]
            shut = [*self.found.locked, *self.found.dangling]
            self._listing = as_imagefolder(arrange(paths, where, self.found.sentences(), self.found.folders, shut))
        return self._listing

    def reading(self) -> str:
        return order_of(self.listing())

    def picture(self, k: int) -> Picture:
        file = self.path / self._places[self.listing().names[k]]
        try:
            return open_picture(file)
        except Unreadable:
            if _is_pointer(file):
                raise Unreadable("only names a file that is not here (Git LFS, git-annex or a link kept as text)") from None
            raise


def _is_pointer(file: Path) -> bool:
    """Whether a small text stands in for an image that was not fetched."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_POINTER + 1)
    except (OSError, ValueError):
        return False
    if len(text) > MAX_POINTER or b"\0" in text:
        return False
    lines = text.strip().splitlines()
    if text.startswith(b"version https://git-lfs") or b"annex/objects" in text:
        return True
    return len(lines) == 1 and b"/" in lines[0] and lines[0].lower().endswith(file.suffix.lower().encode())


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        # An unreadable file becomes a listed problem when it is decoded; until then its error stands for its content.
        return f"unreadable: {getattr(error, 'errno', None)}"


def digest(lines: Iterable[str]) -> str:
    """SHA-256 over lines of text."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
