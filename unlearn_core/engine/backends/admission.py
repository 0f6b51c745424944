"""Which workers of another's scheduler may compute for us: those that say that they have the versions that we have.

A worker says so when it joins, as a resource whose name lists them; ``--preload unlearn_core.engine.preload`` brings that
along (or this module alone, which imports nothing heavy). Stages ask for the resource with our own versions in its name, so no
other worker gets one, whatever the scheduler knows of Eunoe. There is one a process, which computes one stage at a time.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import unlearn_core

if TYPE_CHECKING:
    from distributed import Worker

PREFIX = "eunoe: "
PRELOAD = "--preload unlearn_core.engine.preload"
_PACKAGES = ("torch", "numpy", "dask", "distributed")
"""Those that results and messages depend on most."""


def versions() -> dict[str, str]:
    """What has to be equal: Python's minor version, ours, a digest of our code, and packages without the build ("+cu128"):
    a processor and a graphics card may share a sweep."""
    found = {name: _version_of(name) for name in _PACKAGES}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"Python": python, "unlearn_core": unlearn_core.__version__, "code": code_digest(), **found}


@functools.cache
def code_digest() -> str:
    """Eight hexadecimal digits that differ where a Python file of ours does; ends of lines do not count."""
    root, found = Path(unlearn_core.__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        found.update(path.relative_to(root).as_posix().encode() + b"\0")
        found.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return found.hexdigest()[:8]


def _version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return "missing"


@functools.cache
def our_resource() -> str:
    """The name of the resource that workers with our versions have."""
    return PREFIX + ", ".join(f"{name} {version}" for name, version in versions().items())


def dask_setup(worker: Worker) -> None:
    """Called by Dask before a worker joins."""
    for resources in (worker.state.total_resources, worker.state.available_resources):
        resources[our_resource()] = 1


def refusal(address: str, resources: Iterable[str]) -> str:
    """Why a worker with these resources gets no stage, in a sentence; "" where it gets some."""
    told = next((name for name in resources if name.startswith(PREFIX)), None)
    if told == our_resource():
        return ""
    if told is None:
        return f"The worker at {address} is refused, as it does not tell its versions: start it with {PRELOAD}."
    theirs = dict(part.split(" ", 1) for part in told.removeprefix(PREFIX).split(", "))
    names = {"code": "unlearn_core's code"}
    differ = [
        f"{names.get(name, name)} is {theirs.get(name, 'missing')} there and {ours} here"
        for name, ours in versions().items()
        if theirs.get(name) != ours
    ]
    return f"The worker at {address} is refused: {', '.join(differ)}. It gets no stage before it has these versions."
