"""The ground of the attacks: a running server with a store of its own, bait outside of what may be opened, and the verdict."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import sys
import zipfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measure.attacking.visitor import Page
from benchmarks.measure.fuzzing.watch import shut_in
from benchmarks.measure.serving import served
from benchmarks.paths import ROOT

PUBLIC, DEFAULT, SHOWN = "public", "default", "read only"
MODES = (PUBLIC, SHOWN, DEFAULT)
BAIT = "baitclass"
"""The name of a class in a folder that nobody may open: where it is sent, the folder was looked at."""
MOST_MB = 2048
LIMITS = ("waiting=12", "cells=12", "seconds=60", "upload_mb=8", "uploads_mb=16", "size=8_000_000")


class Payload:
    """Whoever loads this pickle makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@dataclass(frozen=True)
class Ground:
    """A server under attack. ``root``: everything it may write lies there; ``bait``: a folder of images outside; ``ran``: what
    appears where somebody's code was run."""

    mode: str
    port: int
    process: psutil.Process
    root: Path
    bait: Path
    ran: Path

    @property
    def closed(self) -> bool:
        """Whether no path of this computer may be sent."""
        return self.mode != DEFAULT

    def pickled(self) -> bytes:
        """A pickle that makes :attr:`ran`."""
        return pickle.dumps(Payload(str(self.ran)))

    def judge(self, *pages: Page) -> str:
        """What the server gave away or let happen, "" where nothing."""
        for page in pages:
            if page.wrong:
                return page.wrong
            if BAIT.encode() in page.data:
                return "a folder was looked at that may not be opened"
            if self.closed and any(str(place).encode() in page.data for place in (self.root, ROOT)):
                return "a path of the server was sent"
        if self.ran.exists():
            return "code of the attacker was run"
        log = (self.root / "escapes.txt").read_text(errors="replace") if (self.root / "escapes.txt").exists() else ""
        if log:
            return f"written outside of the store: {log.splitlines()[0]}"
        if "Traceback (most recent call last)" in (self.root / "server.txt").read_text(errors="replace"):
            return "a traceback in the server's log"
        memory = round(self.process.memory_info().rss / 2**20) if self.process.is_running() else -1
        return "the server has ended" if memory < 0 else f"{memory} MB of memory" if memory > MOST_MB else ""


Act = Callable[[Ground], Coroutine[Any, Any, tuple[str, str]]]


@dataclass(frozen=True)
class Attempt:
    """``act`` returns what the server did, in words, and what went wrong ("" if nothing). ``short``: also in the suite."""

    kind: str
    words: str
    act: Act
    short: bool
    modes: tuple[str, ...]


ATTEMPTS: list[Attempt] = []


def attempt(kind: str, words: str, *, short: bool = False, modes: tuple[str, ...] = MODES) -> Callable[[Any], Any]:
    """Register one attempt."""

    def register(act: Act) -> Any:
        ATTEMPTS.append(Attempt(kind, words, act, short, modes))
        return act

    return register


@contextlib.contextmanager
def ground(mode: str, folder: Path) -> Iterator[Ground]:
    """A server in this mode, started as its command does, and watched."""
    from unlearn_core.cli import public

    root, bait = folder / "root", folder / "outside" / "photos"
    root.mkdir(parents=True)
    make_photos(bait, BAIT)
    make_photos(root / "home" / "photos", "ant")
    environment, flags = shut_in(root) | {"UNLEARN_DATA_ROOTS": str(root / "home"), "UNLEARN_GALLERY": ""}, list[str]()
    if mode != DEFAULT:
        environment |= public.variables(mode == SHOWN, LIMITS, [], [], [])
        flags += public.flags(LIMITS)

    def command(port: int) -> list[str]:
        module = "benchmarks.measure.fuzzing.served"
        return [sys.executable, "-m", module, str(root), str(root / "escapes.txt"), str(port), *flags]

    with served(root / "server.txt", environment, command) as (port, process):
        yield Ground(mode, port, process, root, bait, root / "home" / "code-was-run")


def make_photos(folder: Path, name: str) -> None:
    """A folder of images of two classes, of which one is called ``name``."""
    for half, count in (("train", 8), ("test", 3)):
        for number, label in enumerate((name, "bee")):
            place = folder / half / label
            place.mkdir(parents=True)
            for k in range(count):
                (place / f"{k}.png").write_bytes(png(20 * k + 100 * number))


def png(seed: int, side: int = 12) -> bytes:
    """A small picture."""
    import numpy as np
    from PIL import Image

    made = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(made, "PNG")
    return made.getvalue()


def zipped(files: dict[str | zipfile.ZipInfo, bytes]) -> bytes:
    """An archive of these files, compressed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()
