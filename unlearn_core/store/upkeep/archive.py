"""The archive that a store is exported to: a zip with ``manifest.json``, ``records.jsonl`` and ``artifacts/…``.

A line of ``records.jsonl`` is one record with the sizes and SHA-256 of its files; the manifest has the SHA-256 of all lines. An
archive may come from anybody: it is looked at whole, within bounds, before anything of it is used, and holds no code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unlearn_core.datasets.files.bounds import DAMAGED, check_ratio, reason_of
from unlearn_core.errors import UserError
from unlearn_core.store.artifacts import FileEntry, path_of
from unlearn_core.store.records import dump
from unlearn_core.store.run_rows import RUN, make_row
from unlearn_core.store.schema import SCHEMA

FORMAT, VERSION = "eunoe store", 1
MANIFEST, LINES, FOLDER = "manifest.json", "records.jsonl", "artifacts/"
MAX_FILES = 500_000
"""Array files in one archive: its directory has to fit into memory."""
MAX_MANIFEST, MAX_LINE, MAX_FILE = 2**20, 2**26, 2**31
FREE_BYTES = 2**28
"""What any archive may unpack to, however small it is."""

_MAX_DIRECTORY = 512 * MAX_FILES
_END, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x07"
_KEY, _KIND = re.compile(r"[0-9a-z][0-9A-Za-z_.-]{1,63}"), re.compile(r"[a-z][a-z_ ]{0,31}")
_NAME, _SHA = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"), re.compile(r"[0-9a-f]{64}")


class Broken(UserError):
    """The archive is not what was exported."""


@dataclass(frozen=True)
class Line:
    """One record as an archive has it; ``spec``, ``payload`` and ``environment`` are JSON text."""

    key: str
    kind: str
    spec: str
    payload: str
    environment: str
    created: float
    files: tuple[FileEntry, ...]

    def text(self) -> str:
        """The line, with its end."""
        plain = vars(self) | {name: json.loads(getattr(self, name)) for name in ("spec", "payload", "environment")}
        return dump(plain | {"files": [vars(file) for file in self.files]}) + "\n"


class Archive:
    """An archive that is there. Use it in ``with``; every method raises :class:`UserError` where it is damaged or refused."""

    def __init__(self, path: Path) -> None:
        self._where = f"The archive {str(path)!r}"
        _check_directory(path, self._where)
        try:
            self._zip = zipfile.ZipFile(path)
        except DAMAGED as error:
            raise Broken(f"{self._where} cannot be read: {reason_of(error)}.") from None
        try:
            self._entries = self._check_entries(path.stat().st_size)
            self.manifest = self._read_manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def check(self) -> None:
        """Look at all of it: every line, every file's bytes, and nothing besides."""
        seen, named = set[str](), set[str]()
        for line in self.lines():
            if line.key in seen:
                raise self.broken(f"it has the record {line.key} twice")
            seen.add(line.key)
            if line.kind == RUN:
                self._check_run(line)
            for file in line.files:
                self._check_arrays(file)
                named.add(FOLDER + file.path)
        if strange := self._entries.keys() - named - {MANIFEST, LINES}:
            raise self.broken(f"no record names its file {min(strange)!r}")
        if len(seen) != self.manifest["records"]:
            raise self.broken(f"it has {len(seen):,} records where its manifest says {self.manifest['records']:,}")

    def lines(self) -> Iterator[Line]:
        """Every record, in the order of the file; at the end their checksum is compared."""
        digest = hashlib.sha256()
        with self._reading(), self._zip.open(self._entries[LINES]) as file:
            while text := file.readline(MAX_LINE):
                if not text.endswith(b"\n"):
                    raise self.broken("a record is cut short or too long")
                digest.update(text)
                yield self._read_line(text)
        if digest.hexdigest() != self.manifest["records_sha256"]:
            raise self.broken("its records are not those that its manifest was made for")

    def data(self, file: FileEntry) -> bytes:
        """The bytes of one array file, compared with what its record says."""
        entry = self._entries.get(FOLDER + file.path)
        if entry is None or entry.file_size != file.size:
            raise self.broken(f"its file {file.path!r} is missing or has another size")
        with self._reading(), self._zip.open(entry) as opened:
            found = opened.read(file.size + 1)
        if len(found) != file.size or hashlib.sha256(found).hexdigest() != file.sha256:
            raise self.broken(f"its file {file.path!r} has changed")
        return found

    def broken(self, why: str) -> Broken:
        """An error that says why it is refused."""
        return Broken(f"{self._where} is damaged, nothing of it was used: {why}.")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except DAMAGED as error:
            raise self.broken(reason_of(error)) from None

    def _check_entries(self, size: int) -> dict[str, zipfile.ZipInfo]:
        found: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            name = entry.orig_filename  # ``filename`` has been cleaned by zipfile
            if name not in (MANIFEST, LINES) and not (name.startswith(FOLDER) and name.endswith(".safetensors")):
                raise Broken(f"{self._where} is refused: its entry {name[:80]!r} is nothing that a store exports.")
            if name in found or entry.flag_bits & 1 or stat.S_ISLNK(entry.external_attr >> 16) or entry.file_size > MAX_FILE:
                raise Broken(f"{self._where} is refused: its entry {name[:80]!r} is doubled, encrypted, a link or too large.")
            found[name] = entry
        check_ratio(sum(entry.file_size for entry in found.values()), size, FREE_BYTES, self._where)
        if missing := {MANIFEST, LINES} - found.keys():
            raise Broken(f"{self._where} is no exported store: it has no {min(missing)}.")
        return found

    def _read_manifest(self) -> Mapping[str, Any]:
        with self._reading(), self._zip.open(self._entries[MANIFEST]) as file:
            text = file.read(MAX_MANIFEST + 1)
        with self._reading():  # a RecursionError is a RuntimeError
            found = json.loads(text) if len(text) <= MAX_MANIFEST else None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise Broken(f"{self._where} is no exported store: its manifest says something else.")
        numbers = [found.get(name) for name in ("version", "schema", "records")]
        if not all(type(number) is int and number >= 0 for number in numbers) or not isinstance(
            found.get("records_sha256"), str
        ):
            raise self.broken("its manifest is not complete")
        if found["version"] > VERSION or found["schema"] > SCHEMA:
            raise UserError(
                f"{self._where} was made by a newer version of Eunoe (schema {found['schema']}, this one: {SCHEMA})."
            )
        return found

    def _read_line(self, text: bytes) -> Line:
        with self._reading():
            found = json.loads(text)
        try:
            files = tuple(FileEntry(**file) for file in found["files"])
            plain = [found[name] for name in ("spec", "payload", "environment")]
            key, kind, created = found["key"], found["kind"], found["created"]
            good = (
                found.keys() == Line.__annotations__.keys()
                and all(isinstance(part, dict) for part in plain)
                and bool(_KEY.fullmatch(key) and _KIND.fullmatch(kind))
                and isinstance(created, int | float)
                and math.isfinite(created)
                and all(_is_sound(key, file) for file in files)
            )
        except (TypeError, KeyError, AttributeError):
            good = False
        if not good:
            raise self.broken("one of its records is not as Eunoe writes them")
        with self._reading():
            spec, payload, environment = (dump(part) for part in plain)
        return Line(key, kind, spec, payload, environment, float(created), files)

    def _check_run(self, line: Line) -> None:
        try:
            make_row(line.key, line.spec, line.payload)
        except (AttributeError, TypeError, ValueError, KeyError, RecursionError):
            raise self.broken(f"its run {line.key} is not as Eunoe writes them") from None

    def _check_arrays(self, file: FileEntry) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        data = self.data(file)
        try:
            load(data)
        except (SafetensorError, *DAMAGED, KeyError, TypeError):
            raise self.broken(f"its file {file.path!r} holds no arrays") from None


def _is_sound(key: str, file: FileEntry) -> bool:
    """Whether an entry names a file where it would be written, so that no path is taken from an archive."""
    return (
        type(file.size) is int
        and 0 <= file.size <= MAX_FILE
        and bool(_NAME.fullmatch(file.name) and _SHA.fullmatch(file.sha256))
        and file.path == path_of(key, file.name, file.sha256)
    )


def _check_directory(path: Path, where: str) -> None:
    """Refuse what is no zip, is cut short, or has a directory that is too large, before ``zipfile`` holds it in memory."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - 65_557 - 76))
            tail = file.read()
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror or error}.") from None
    at = tail.rfind(_END)
    if at < 0 or at + 22 > len(tail):
        raise Broken(f"{where} is no zip archive, or its end is missing.")
    length = struct.unpack_from("<L", tail, at + 12)[0]
    if tail[at - 20 : at - 16] == _LOCATOR64 and at >= 76:
        length = struct.unpack_from("<Q", tail, at - 76 + 40)[0]
    if length > _MAX_DIRECTORY:
        raise Broken(f"{where} is refused: its directory alone has {length / 2**20:,.0f} MB.")
