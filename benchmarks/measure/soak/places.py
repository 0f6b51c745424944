"""Faults of what the store lies on: a database server that is killed, a full disk, a slow one, a lock that is held."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure.soak.fault import Fault
from benchmarks.measure.soak.work import Program, Work
from benchmarks.paths import ROOT

THROTTLE = Path("/sys/fs/cgroup/blkio")
SMALL_MB, IMAGE_MB = 24, 128
_HOLD = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1] + "/lethe.sqlite", timeout=60, isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


class Database(Fault):
    """``kill -9`` for every process of a PostgreSQL server, which is started again some seconds later."""

    name, words = "database", "the PostgreSQL server is killed, and started again"

    def __init__(self, longest: float = 3.0) -> None:
        """``longest``: seconds without it, at most."""
        self._server: Any = None
        self._longest = longest

    def why_not(self) -> str:
        try:
            import psycopg  # noqa: F401 - only whether it is there
        except ImportError:
            return "the package psycopg is not installed (requirements-dev.txt)"
        return "" if _postgres().binaries() else "PostgreSQL is not installed (apt-get install postgresql)"

    @contextlib.contextmanager
    def ground(self, folder: Path) -> Iterator[str]:
        postgres = _postgres()
        self._server = postgres.Server(postgres.binaries())
        try:
            yield self._server.new_store(folder / "files")
        finally:
            self._server.remove()

    def strike(self, program: Program, rng: random.Random) -> bool:
        self._server.kill()
        time.sleep(rng.uniform(0.1, self._longest))
        self._server.start()
        return True


class FullDisk(Fault):
    """The store lies on a small file system, which is filled to the last byte for some seconds."""

    name, words, ends = "disk", "the disk is full for some seconds", False

    def __init__(self, longest: float = 4.0) -> None:
        """``longest``: seconds without room, at most."""
        self._disk, self._longest = Path(), longest

    def why_not(self) -> str:
        return _cannot_mount(["-t", "tmpfs", "tmpfs"])

    @contextlib.contextmanager
    def ground(self, folder: Path) -> Iterator[str]:
        with mounted(folder / "disk", ["-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs"]) as self._disk:
            yield str(self._disk / "store")

    def strike(self, program: Program, rng: random.Random) -> bool:
        ballast = self._disk / "ballast"
        deadline = time.monotonic() + rng.uniform(0.5, 1.0) * self._longest
        with ballast.open("wb", buffering=0) as file:
            while time.monotonic() < deadline:  # what a failed write gives back is taken as well
                for size in (2**16, 2**12, 1):
                    with contextlib.suppress(OSError):
                        while file.write(bytes(size)) == size:
                            pass
                time.sleep(0.02)
        ballast.unlink()
        return True


class SlowDisk(Fault):
    """The store lies on a disk that takes two to eight writes a second for some seconds: Linux' control group ``blkio`` on a
    file that is mounted as a disk. Only what the program itself writes is slow, not what the system writes later for it."""

    name, words = "slow", "the disk takes a few writes a second for some seconds"

    def __init__(self, longest: float = 6.0) -> None:
        """``longest``: seconds that it is slow, at most."""
        self._group, self._device, self._longest = THROTTLE, "", longest

    def why_not(self) -> str:
        if not (THROTTLE / "blkio.throttle.write_iops_device").exists():
            return "there is no control group blkio of version 1, which slows a disk down"
        if not os.access(THROTTLE, os.W_OK):
            return "control groups can only be made by root"
        return _cannot_mount(["-t", "tmpfs", "tmpfs"])

    @contextlib.contextmanager
    def ground(self, folder: Path) -> Iterator[str]:
        image = folder / "image"
        with image.open("wb") as file:
            file.truncate(IMAGE_MB * 2**20)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        self._group = THROTTLE / f"soak{os.getpid()}"
        with mounted(folder / "disk", ["-o", "loop", str(image)]) as disk:
            found = os.stat(disk).st_dev
            self._device = f"{os.major(found)}:{os.minor(found)}"
            self._group.mkdir()
            try:
                yield str(disk / "store")
            finally:
                self._group.rmdir()
        image.unlink()

    def start(self, work: Work, store: str, folder: Path) -> Program:
        self._limit(0)
        program = super().start(work, store, folder)
        (self._group / "cgroup.procs").write_text(str(program.process.pid))  # what it starts comes along
        return program

    def strike(self, program: Program, rng: random.Random) -> bool:
        self._limit(rng.randint(2, 8))
        program.wait(rng.uniform(0.3, 1.0) * self._longest)
        self._limit(0)
        return True

    def _limit(self, writes: int) -> None:
        """So many writes a second; 0: as many as it can."""
        (self._group / "blkio.throttle.write_iops_device").write_text(f"{self._device} {writes}")


class Lock(Fault):
    """Another program holds SQLite's write lock, and is stopped meanwhile."""

    name, words = "lock", "a stopped program holds SQLite's write lock for some seconds"

    def __init__(self, longest: float = 6.0) -> None:
        """``longest``: seconds that it is held, at most."""
        self._store, self._longest = "", longest

    @contextlib.contextmanager
    def ground(self, folder: Path) -> Iterator[str]:
        self._store = str(folder / "store")
        yield self._store

    def strike(self, program: Program, rng: random.Random) -> bool:
        holder = subprocess.Popen(
            [sys.executable, "-c", _HOLD, self._store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert holder.stdout is not None
        held = holder.stdout.readline() == b"held\n"  # not where the store is being made at this moment
        if held:
            holder.send_signal(signal.SIGSTOP)
            time.sleep(rng.uniform(0.3, 1.0) * self._longest)
        holder.kill()
        holder.wait()
        return held


@contextlib.contextmanager
def mounted(folder: Path, arguments: Sequence[str]) -> Iterator[Path]:
    """A file system at ``folder``, which is made for it."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", *arguments, str(folder)], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def _cannot_mount(arguments: Sequence[str]) -> str:
    if os.getuid() != 0:
        return "a file system can only be mounted by root"
    place = Path(f"/tmp/soak-mount-{os.getpid()}")
    try:
        with mounted(place, arguments):
            return ""
    except (OSError, subprocess.CalledProcessError):
        with contextlib.suppress(OSError):
            place.rmdir()
        return "no file system can be mounted here"


def _postgres() -> Any:
    """The tests' own way to a PostgreSQL server."""
    if (tests := str(ROOT / "tests" / "store")) not in sys.path:
        sys.path.insert(0, tests)
    import postgresserver

    return postgresserver
