"""The embedded cluster as seen from the process that uses it: a child that is started, asked for its address, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING

from unlearn_core.engine.backends import stopped
from unlearn_core.errors import UserError
from unlearn_core.support.scratch import drop_scratch, make_scratch

if TYPE_CHECKING:
    from distributed import Security

START_SECONDS = 120.0
PRELOAD = "unlearn_core.engine.preload"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
_KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_TOP_PAD_": str(2**24),
}
"""For the GNU C library (others ignore it): a worker keeps what a step has freed for the next step. Given back to the system,
every batch would fault its activations in again, page by page."""


class ClusterProcess:
    """The child process with the embedded cluster. Closing its stdin, or our own death, ends it."""

    def __init__(self, workers: int, spare: int = 0) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        self._scratch, self._lock = make_scratch()
        self._ending, self._ended = threading.Lock(), False
        # Whatever the cluster's processes put into the temporary folder (sockets of multiprocessing, caches) goes with it.
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self._scratch)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "unlearn_core.engine.backends.cluster_process",
                "--workers",
                str(workers),
                "--spare",
                str(spare),
                "--stopped",
                str(stopped.STOPPED_SECONDS),
                "--scratch",
                self._scratch,
                "--preload",
                PRELOAD,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_KEEP_MEMORY | os.environ | _ONE_THREAD | temporary | {"PYTHONPATH": paths},
            start_new_session=True,  # Ctrl-C in the terminal is for the parent, which then closes us in good order
        )
        self._errors: deque[str] = deque(maxlen=40)
        self._address = ""
        self._ready = threading.Event()
        for target in (self._read_address, self._read_errors):
            threading.Thread(target=target, name="eunoe-server-output", daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for_address(self) -> str:
        """The scheduler's address; raises ``UserError`` if the process ends or takes too long."""
        self._ready.wait(START_SECONDS)
        if not self._address:
            self.close()
            cause = next((line for line in reversed(self._errors) if line.strip()), "it did not answer in time")
            raise UserError(f"The engine could not start its workers: {cause.strip().rstrip('.')}.")
        return self._address

    def security(self) -> Security:
        """What a client needs to be let in; valid once there is an address."""
        from unlearn_core.engine.backends.certificate import cluster_security

        return cluster_security(self._scratch)

    def close(self) -> None:
        """End the cluster; workers go with it. From several threads and several times: only the first call does something.

        A descriptor that is closed twice is another's by then: of the next cluster's lock, or of a connection.
        """
        with self._ending:
            if self._ended:
                return
            self._ended = True
            with contextlib.suppress(OSError):
                if self._process.stdin is not None:
                    self._process.stdin.close()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            drop_scratch(self._scratch, self._lock)

    def _read_address(self) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        with contextlib.suppress(ValueError, KeyError):
            self._address = json.loads(line)["address"]
        self._ready.set()
        self._process.stdout.read()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors.append(line.decode(errors="replace"))
