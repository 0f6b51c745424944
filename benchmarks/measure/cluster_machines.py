"""A Dask scheduler and workers as if on machines of their own: each in a network namespace, over TLS, on one switch.

What they share is the folder, as machines share a network disk, and the clock. The switch is a bridge in a namespace of its own
too: a browser on this computer drops what it is loading when an interface comes or goes. Needs Linux, ``ip`` and the right to
make namespaces (root). :class:`Machines` takes back all that it makes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.paths import ROOT
from unlearn_core.engine.backends.certificate import CERTIFICATE, KEY, write_certificate

PORT = 8786
NAMES, SWITCH = ("scheduler", "asking"), "switch"
"""Machines beside the workers: of the scheduler, and of the command that asks; and what connects all of them."""
_NETWORK = 0x40000000
"""CLONE_NEWNET"""


def why_not() -> str:
    """Why no namespaces can be made here; "" where they can."""
    if shutil.which("ip") is None:
        return "there is no program ip"
    name = f"eutry{os.getpid()}"
    steps = (
        ["netns", "add", name],
        ["-n", name, "link", "add", "bridge", "type", "bridge"],
        ["-n", name, "link", "add", "one", "type", "veth", "peer", "name", "other"],
        ["netns", "exec", name, "true"],
    )
    tried = (subprocess.run(["ip", *step], capture_output=True, text=True) for step in steps)
    reason = next((f"ip {' '.join(made.args[1:])}: {made.stderr.strip()}" for made in tried if made.returncode), "")
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return reason


class Machines:
    """``folder``: for certificates and logs. Use it in ``with``; workers are numbered from 0, at most ``workers`` of them."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder, self._number = folder, os.getpid()
        self.names = [*NAMES, *(str(number) for number in range(workers))]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._network = f"198.18.{self._number % 250}"  # RFC 2544: for measurements, never on the internet
        self.address = f"tls://{self._network}.{self._host('scheduler')}:{PORT}"

    def __enter__(self) -> Machines:
        write_certificate(str(self.folder))
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.processes):
            self.kill(name)
        for name in (*self.names, SWITCH):
            subprocess.run(["ip", "netns", "del", self._space(name)], capture_output=True)

    def environment(self) -> dict[str, str]:
        """What makes a process of this cluster talk TLS with our certificate alone."""
        certificate, key = str(self.folder / CERTIFICATE), str(self.folder / KEY)
        tls = {"CA_FILE": certificate}
        for role in ("CLIENT", "SCHEDULER", "WORKER"):
            tls |= {f"{role}__CERT": certificate, f"{role}__KEY": key}
        found = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": value for name, value in tls.items()}
        return found | {"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True"}

    def start_scheduler(self) -> None:
        """Start it anew, under the same address."""
        own = f"{self._network}.{self._host('scheduler')}"
        arguments = ["--host", f"tls://{own}", "--port", str(PORT), "--no-dashboard"]
        self.start("scheduler", ["-m", "dask", "scheduler", *arguments])

    def start_worker(self, number: int, *options: str, warm: bool = True) -> None:
        """Start a worker on its machine; ``warm``: with torch imported before it joins."""
        module = "unlearn_core.engine.preload" if warm else "unlearn_core.engine.backends.admission"
        how = ["--no-nanny", "--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--preload", module]
        place = ["--host", f"tls://{self._network}.{self._host(str(number))}", "--local-directory", str(self.folder)]
        self.start(str(number), ["-m", "dask", "worker", self.address, "--name", str(number), *how, *place, *options])

    def start(self, name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start Python on this machine in place of what runs there; what it says goes to a file with the machine's name."""
        self.kill(name)
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                ["ip", "netns", "exec", self._space(name), sys.executable, *arguments],
                cwd=self.folder,
                env=os.environ | self.environment() | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=log,
            )
        return self.processes[name]

    def kill(self, name: str) -> None:
        """kill -9, if it runs."""
        if (process := self.processes.pop(name, None)) is not None:
            with contextlib.suppress(OSError):
                process.send_signal(signal.SIGKILL)
            process.wait()

    def pause(self, name: str, on: bool) -> None:
        """Stop the process where it is, or let it go on."""
        with contextlib.suppress(OSError):
            self.processes[name].send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def cut(self, name: str, on: bool) -> None:
        """Cut the machine's cable, or mend it."""
        self._ip("-n", self._space(SWITCH), "link", "set", self._cable(name), "down" if on else "up")

    def move_to(self, name: str) -> None:
        """Take this process to one of the machines for good. Threads that it has started already stay where they are."""
        place = os.open(f"/run/netns/{self._space(name)}", os.O_RDONLY)
        try:
            library = ctypes.CDLL(None, use_errno=True)  # os.setns came with Python 3.12
            if library.setns(place, _NETWORK):
                raise OSError(ctypes.get_errno(), "this process may not change its network namespace")
        finally:
            os.close(place)

    def alive(self, name: str) -> bool:
        return name in self.processes and self.processes[name].poll() is None

    def _make(self) -> None:
        switch = self._space(SWITCH)
        self._ip("netns", "add", switch)
        self._ip("-n", switch, "link", "add", SWITCH, "type", "bridge")
        self._ip("-n", switch, "link", "set", SWITCH, "up")
        for name in self.names:
            space, cable = self._space(name), self._cable(name)
            self._ip("netns", "add", space)
            self._ip("-n", switch, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
            self._ip("-n", switch, "link", "set", cable, "master", SWITCH, "up")
            self._ip("-n", space, "addr", "add", f"{self._network}.{self._host(name)}/24", "dev", "eth0")
            for device in ("eth0", "lo"):
                self._ip("-n", space, "link", "set", device, "up")

    def _host(self, name: str) -> int:
        return 10 + self.names.index(name)

    def _space(self, name: str) -> str:
        return f"eu{self._number}-{name}"

    def _cable(self, name: str) -> str:
        return f"eu{self._number}v{self.names.index(name)}"  # at most 15 characters

    def _ip(self, *arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)
