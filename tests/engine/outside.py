"""A Dask scheduler and workers as a user would start them: ``dask scheduler``, ``dask worker``, each on its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.engine.dummy import until

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def loaded_data() -> tuple[int, int]:
    """To be called on a worker: how often it found its corrupted data ready, and how often it built them."""
    from unlearn_core.evaluation.scenario_data import cached_scenario_data

    info = cached_scenario_data.cache_info()
    return info.hits, info.misses


class Outside:
    """The processes of one cluster on this machine; ``folder`` is for what they write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self._all: list[subprocess.Popen[bytes]] = []

    def scheduler(self) -> subprocess.Popen[bytes]:
        """Start the scheduler and wait until it answers."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--dashboard-address", "127.0.0.1:0"]
        made = self._start("scheduler", *options, "--scheduler-file", str(file))
        until(lambda: file.exists() and file.read_text().strip().endswith("}"))
        assert json.loads(file.read_text())["address"] == self.address
        return made

    def worker(
        self, *options: str, nanny: bool = False, warm: bool = False, code: Sequence[Path] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a worker; without a nanny the process that is returned computes itself. ``warm``: it imports torch before it
        joins, as the documentation advises, and costs seconds that most tests have no use for. ``code``: folders where it
        looks for packages before ours."""
        common = ["--host", "127.0.0.1", "--no-dashboard", "--memory-limit", "0", "--local-directory", str(self.folder)]
        threads = [] if "--nthreads" in options else ["--nthreads", "1"]
        how = "--nanny" if nanny else "--no-nanny"
        module = "unlearn_core.engine.preload" if warm else "unlearn_core.engine.backends.admission"
        early = [] if "--preload" in options else ["--preload", module]
        return self._start("worker", self.address, how, *common, *threads, *early, *options, code=code)

    def end(self, some: Sequence[subprocess.Popen[bytes]] | None = None) -> None:
        """Kill everything that was started here (or some of it), and what that started."""
        for process in self._all if some is None else some:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            with contextlib.suppress(OSError):
                process.send_signal(signal.SIGKILL)
            process.wait()

    def _start(self, what: str, *options: str, code: Sequence[Path] = ()) -> subprocess.Popen[bytes]:
        path = os.pathsep.join([*map(str, code), str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        with (self.folder / f"{what}-{len(self._all)}.log").open("wb") as log:
            made = subprocess.Popen(
                [sys.executable, "-m", "dask", what, *options],
                cwd=self.folder,  # the package comes from PYTHONPATH, as on another machine
                env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=log,
            )
        self._all.append(made)
        return made
