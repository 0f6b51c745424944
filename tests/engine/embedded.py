"""The embedded cluster from outside: its processes, as any program on the machine sees them."""

from __future__ import annotations

from pathlib import Path

import psutil


def cluster_process(parent: int | None = None) -> psutil.Process:
    """The process with the cluster of this process, or of another."""
    children = [child for child in psutil.Process(parent).children() if child.status() != psutil.STATUS_ZOMBIE]
    (found,) = [child for child in children if "unlearn_core.engine.backends.cluster_process" in child.cmdline()]
    return found


def cluster_family(parent: int | None = None) -> list[psutil.Process]:
    """The same with the workers and whatever else it started."""
    server = cluster_process(parent)
    return [server, *server.children(recursive=True)]


def scratch_folder() -> Path:
    """The cluster's folder."""
    command = cluster_process().cmdline()
    return Path(command[command.index("--scratch") + 1])
