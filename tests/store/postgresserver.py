"""A real PostgreSQL server for the tests: in a folder of its own, on a Unix socket alone, gone when they end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import psutil

SMALL = ("shared_buffers=16MB", "max_connections=60", "fsync=off", "listen_addresses=")


def binaries() -> Path | None:
    """Where Debian, or the path, has PostgreSQL's programs; None where it is not installed."""
    if debian := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return debian[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else None


class Server:
    """One server. It refuses to run as root, so tests that do give it to another user."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.home = Path(tempfile.mkdtemp(prefix="lethe-pg-"))  # short: a socket's path has 107 characters at most
        self._as: dict[str, Any] = {"cwd": self.home, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if os.getuid() == 0:
            user = other_user()
            os.chown(self.home, user.pw_uid, user.pw_gid)
            self._as |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        make: list[str | Path] = [
            programs / "initdb",
            "-D",
            self.home / "data",
            "-U",
            "lethe",
            "-E",
            "UTF8",
            "--locale=C",
            "-A",
            "trust",
        ]
        subprocess.run([*make, "--no-sync"], check=True, **self._as)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = [word for setting in SMALL for word in ("-c", setting)]
        command: list[str | Path] = [self._programs / "postgres", "-D", self.home / "data", "-k", self.home, *settings]
        self._process = subprocess.Popen(command, **self._as)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.execute("SELECT 1")
                return
            except self._driver().OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL did not start"
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop at once, as in a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(60)
            self._process = None

    def kill(self) -> None:
        """kill -9 for all of its processes: nothing is brought in order."""
        if self._process is not None:
            server = psutil.Process(self._process.pid)
            every = [server, *server.children(recursive=True)]
            for one in every:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            self._process.wait()
            psutil.wait_procs(every, 30)  # one that lives on would keep the shared memory from the next server
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def new_store(self, artifacts: Path) -> str:
        """The address of a store in a new, empty schema (a database for each takes seconds to remove)."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"postgresql://lethe@/postgres?host={self.home}&options=-csearch_path%3D{name}&artifacts={artifacts}"

    def connect(self) -> Any:
        """A connection past the store, which commits by itself."""
        return self._driver().connect(host=str(self.home), user="lethe", dbname="postgres", autocommit=True)

    def execute(self, sql: str) -> None:
        with self.connect() as connection:
            connection.execute(sql)

    @staticmethod
    def _driver() -> Any:
        import psycopg

        return psycopg


def other_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("there is no user that PostgreSQL could run as")
