"""A zip of an image folder, read without unpacking anything to disk; hostile archives are refused in one sentence."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from unlearn_core.datasets._images.decode import Unreadable, open_picture
from unlearn_core.datasets._images.folder import arrange
from unlearn_core.datasets._images.listing import (
    MAX_FILE_BYTES,
    MAX_IMAGES,
    SUFFIXES,
    Collection,
    Listing,
    Picture,
    check_count,
)
from unlearn_core.datasets._images.order import IMAGEFOLDER, as_imagefolder, order_of
from unlearn_core.errors import UserError

MAX_DIRECTORY_BYTES = 64 * 2**20
MAX_RATIO = 100
"""Images hardly compress; an archive that unpacks to more than this many times its size (and 1 GB) is a bomb."""

_END, _END64, _LOCATOR64, _ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"


class Archive(Collection):
    """Entries with the suffix of an image, numbered as torchvision's ``ImageFolder``."""

    numbering = IMAGEFOLDER

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        where = f"The zip {str(path)!r}"
        _check_directory(path, where)
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError, struct.error, NotImplementedError) as error:
            raise UserError(f"{where} cannot be read: {error}.") from None
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        _check_entries(entries, path.stat().st_size, where)
        self.entries = sorted((entry for entry in entries if _is_image(entry.filename)), key=lambda entry: entry.filename)
        check_count(len(self.entries), where)
        self._listing: Listing | None = None
        self._position: dict[str, zipfile.ZipInfo] = {entry.filename: entry for entry in self.entries}

    def signature(self) -> str:
        about = self.path.stat()
        return f"{about.st_size}:{about.st_mtime_ns}"

    def content(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def listing(self) -> Listing:
        if self._listing is None:
            self._listing = as_imagefolder(arrange(list(self._position), f"The zip {str(self.path)!r}"))
        return self._listing

    def reading(self) -> str:
        return order_of(self.listing())

    def picture(self, k: int) -> Picture:
        entry = self._position[self.listing().names[k]]
        if entry.file_size > MAX_FILE_BYTES:
            raise Unreadable(f"has {entry.file_size / 2**20:,.0f} MB, at most {MAX_FILE_BYTES // 2**20} are read")
        try:
            with self._zip.open(entry) as file:
                data = file.read(MAX_FILE_BYTES)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, struct.error):
            raise Unreadable("is damaged in the zip") from None
        return open_picture(data)


def _is_image(name: str) -> bool:
    parts = name.split("/")
    return os.path.splitext(name)[1].lower() in SUFFIXES and not any(part.startswith((".", "__MACOSX")) for part in parts)


def _check_entries(entries: list[zipfile.ZipInfo], size: int, where: str) -> None:
    for entry in entries:
        # ``filename`` has been cleaned by zipfile, ``orig_filename`` is what the archive says.
        name = entry.orig_filename.replace("\\", "/")
        if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/") or "\0" in name:
            raise UserError(f"{where} is refused: the path of its entry {name[:80]!r} leads outside of it.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise UserError(f"{where} is refused: its entry {name[:80]!r} is a link, not a file.")
        if entry.flag_bits & 1:
            raise UserError(f"{where} is encrypted; give one without a password.")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(MAX_RATIO * size, 2**30):
        raise UserError(
            f"{where} is refused: it would unpack to {unpacked / 2**30:,.1f} GB, {unpacked / max(1, size):,.0f} times its size."
        )


def _check_directory(path: Path, where: str) -> None:
    """Refuse an archive whose directory is too large, before ``zipfile`` holds all of it in memory."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - 65_557 - 76))  # the end record, its longest comment, and the two records of zip64
            tail = file.read()
            at = tail.rfind(_END)
            if at < 0 or at + 22 > len(tail):
                raise UserError(f"{where} is no zip archive, or its end is missing.")
            length, end = struct.unpack_from("<L", tail, at + 12)[0], size - len(tail) + at
            if tail[at - 20 : at - 16] == _LOCATOR64 and tail[at - 76 : at - 72] == _END64:
                length, end = struct.unpack_from("<Q", tail, at - 76 + 40)[0], end - 76
            if length > MAX_DIRECTORY_BYTES:
                raise UserError(f"{where} is refused: its directory alone has {length / 2**20:,.0f} MB.")
            file.seek(max(0, end - length))
            # The recorded number of entries may lie; every real entry begins with these four bytes.
            if file.read(length).count(_ENTRY) > 2 * MAX_IMAGES:
                raise UserError(f"{where} has more than {2 * MAX_IMAGES:,} entries, which is more than can be listed.")
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror or error}.") from None
