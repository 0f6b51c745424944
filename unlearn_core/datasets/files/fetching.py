"""Files fetched from the internet on request: gone on with where a connection broke, and checked against their published sums.

A file that has not arrived in full lies beside its place under another name, and nothing but its sum makes it the file.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import os
import shutil
import sys
import tarfile
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from unlearn_core.errors import UserError

Tell = Callable[[int], None]
"""Hears how many bytes have arrived; what it raises ends the download, which can be gone on with later."""
MAX_BYTES: Final = 2**30
"""Of a file as it comes, and of one that was packed: more is not what was published."""
_TIMEOUT_SECONDS: Final = 30.0
_BLOCK: Final = 1 << 16
_ALL_THERE = 416
"""The server's answer to a request for what lies behind the end of a file."""


@dataclass(frozen=True)
class Remote:
    """A file to fetch: ``addresses`` are tried one after the other; ``md5`` in hexadecimal, as published."""

    name: str
    addresses: tuple[str, ...]
    md5: str


def fetch(remote: Remote, folder: Path, tell: Tell) -> Path:
    """Bring a file into ``folder`` and return its path; what is there of it already is not fetched again.

    Raises :class:`UserError` in one sentence where no address gives the file, or none gives the right one.
    """
    part = folder / f"{remote.name}.part"
    folder.mkdir(parents=True, exist_ok=True)
    whole, reason = folder / remote.name, "it has no address"
    if whole.is_file() and _sum(whole) == remote.md5:
        tell(whole.stat().st_size)
        return whole
    for address in remote.addresses:
        try:
            _download(address, part, tell)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
            continue
        if _sum(part) == remote.md5:
            part.replace(whole)
            return whole
        part.unlink()
        reason = "what arrived is not the published file (its checksum differs) and was removed"
    raise UserError(f"{remote.name}: {reason}.{_kept(part)}")


def tell_on_stderr(label: str, size: int) -> Tell:
    """A listener that writes a line for every tenth of about ``size`` bytes."""
    said = 0

    def tell(done: int) -> None:
        nonlocal said
        if (tenth := 10 * done // max(size, 1)) > said:
            said = tenth
            print(f"{label}: {done / 1e6:.0f} of {size / 1e6:.0f} MB", file=sys.stderr, flush=True)

    return tell


def unpack(archive: Path, folder: Path, wanted: Collection[str]) -> None:
    """Put the files ``wanted`` of an archive (.gz of one file, .tar.gz, or the file itself) into ``folder``, each in one step.

    Raises :class:`UserError` where the archive lacks one or cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if archive.name.endswith(".tar.gz"):
            with tarfile.open(archive) as opened:
                for member in opened:
                    name = os.path.basename(member.name)
                    if member.isfile() and name in wanted and (source := opened.extractfile(member)) is not None:
                        _write(source, folder / name)
        elif archive.suffix == ".gz":
            with gzip.open(archive) as packed:
                _write(cast(IO[bytes], packed), folder / archive.name.removesuffix(".gz"))
        else:
            shutil.copyfile(archive, folder / archive.name)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise UserError(f"{archive.name} cannot be unpacked: {' '.join(str(error).split())[:200].rstrip('.')}.") from None


def _download(address: str, part: Path, tell: Tell) -> None:
    """Append to ``part`` what it lacks of the file at ``address``; a server that cannot do that sends all of it again."""
    have = part.stat().st_size if part.exists() else 0
    try:
        with _opened(address, have) as answer:
            start = _start(answer, have)
            length = answer.headers.get("Content-Length")
            with part.open("r+b" if start else "wb") as file:
                file.seek(start)
                file.truncate()
                arrived = _copy(answer, file, start, tell)
        if length is not None and arrived < start + int(length):
            raise OSError(f"the connection broke after {arrived:,} of {start + int(length):,} bytes")
    except HTTPError as error:
        if error.code != _ALL_THERE or not have:
            raise
        tell(have)  # all of it, or more than there is: the sum says which


def _opened(address: str, have: int) -> Any:
    asked = {"User-Agent": "eunoe"} | ({"Range": f"bytes={have}-"} if have else {})
    return urlopen(Request(address, headers=asked), timeout=_TIMEOUT_SECONDS)


def _start(answer: Any, have: int) -> int:
    """Where the server goes on: behind what is there, or at the beginning if it cannot do that."""
    if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
        return 0
    if not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
        raise OSError("the server sent another part than it was asked for")
    return have


def _copy(source: IO[bytes], target: IO[bytes], done: int, tell: Tell | None = None) -> int:
    """Copy in blocks; returns the size with the ``done`` bytes that were there before."""
    for block in _blocks(source):
        done += len(block)
        if done > MAX_BYTES:
            raise OSError(f"it is larger than {MAX_BYTES >> 20} MB")
        target.write(block)
        if tell is not None:
            tell(done)
    return done


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(_BLOCK):
        yield block


def _write(source: IO[bytes], path: Path) -> None:
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with temporary.open("wb") as file:
            _copy(source, file, 0)
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sum(path: Path) -> str:
    """MD5 as the publishers give it: it tells a damaged file, and the addresses are theirs."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        for block in _blocks(file):
            digest.update(block)
    return digest.hexdigest()


def _kept(part: Path) -> str:
    return " What has arrived is kept; the next attempt goes on from there." if part.exists() else ""
