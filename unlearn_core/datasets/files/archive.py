"""A zip of an image folder, read without unpacking anything to disk; hostile archives are refused in one sentence."""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
from pathlib import Path

from unlearn_core.datasets.files.bounds import DAMAGED, check_pixels, check_ratio, reason_of
from unlearn_core.datasets.files.decode import Unreadable, open_picture
from unlearn_core.datasets.files.entries import read_entries
from unlearn_core.datasets.files.layout import arrange
from unlearn_core.datasets.files.listing import MAX_FILE_BYTES, MAX_IMAGES, Collection, Listing, Picture, check_count
from unlearn_core.datasets.files.order import IMAGEFOLDER, as_imagefolder, order_of
from unlearn_core.errors import UserError

MAX_DIRECTORY_BYTES = 64 * 2**20
FREE_BYTES = 2**30
"""What any archive may unpack to, however small it is."""
HEADER_BYTES = 2**16
"""As much of an entry is unpacked to learn its kind and size; the few pictures whose header is longer are unpacked whole."""

_END, _END64, _LOCATOR64, _ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"


class Archive(Collection):
    """Entries with the ending of an image, numbered as torchvision's ``ImageFolder``."""

    numbering = IMAGEFOLDER

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.where = f"The zip {str(path)!r}"
        _check_directory(path, self.where)
        try:
            self._zip = zipfile.ZipFile(path)
        except DAMAGED as error:
            raise UserError(f"{self.where} cannot be read: {reason_of(error)}.") from None
        entries = self._zip.infolist()
        _check_entries(entries, path.stat().st_size, self.where)
        self.contents = read_entries(entries)
        check_count(len(self.contents.images), self.where)
        self._listing: Listing | None = None

    def signature(self) -> str:
        about = self.path.stat()
        return f"{about.st_size}:{about.st_mtime_ns}:{about.st_ctime_ns}"

    def content(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def listing(self) -> Listing:
        if self._listing is None:
            held = self.contents
            before = list(dict.fromkeys(held.before))
            found = arrange(sorted(held.images), self.where, held.sentences(), sorted(held.folders), before=before)
            self._listing = as_imagefolder(found)
        return self._listing

    def reading(self) -> str:
        return order_of(self.listing())

    def picture(self, k: int) -> Picture:
        return open_picture(self._read(k, MAX_FILE_BYTES))

    def header(self, k: int) -> Picture:
        try:
            return open_picture(self._read(k, HEADER_BYTES))
        except Unreadable:
            return self.picture(k)

    def check_pixels(self, pixels: int) -> None:
        check_pixels(pixels, self.path.stat().st_size, self.where)

    def _read(self, k: int, most: int) -> bytes:
        entry = self.contents.images[self.listing().names[k]]
        if entry.file_size > MAX_FILE_BYTES:
            raise Unreadable(f"has {entry.file_size / 2**20:,.0f} MB, at most {MAX_FILE_BYTES // 2**20} are read")
        try:
            with self._zip.open(entry) as file:
                return file.read(most)
        except NotImplementedError as error:
            raise Unreadable(f"cannot be read in the zip, {reason_of(error)}") from None
        except DAMAGED:
            raise Unreadable("is damaged in the zip") from None


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
    check_ratio(unpacked, size, FREE_BYTES, where)


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
