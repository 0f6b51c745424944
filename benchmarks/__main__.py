"""One door to all benchmarks: ``python -m benchmarks list`` and ``python -m benchmarks run NAME ...``.

``python -m benchmarks.NAME ...`` goes on working. This file imports nothing heavy: workers that start anew read it again.
"""

from __future__ import annotations

import importlib
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = {"gpu": "benchmarks.gpu.command"}
"""Benchmarks that are packages, with the module of their command."""


def names() -> list[str]:
    """Every benchmark that can be run: modules with a command of their own, and packages."""
    modules = [path.stem for path in HERE.glob("*.py") if "\ndef main(" in path.read_text() and path.stem != "__main__"]
    return sorted([*modules, *PACKAGES])


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark that is named; returns the exit status."""
    if list(arguments[:1]) == ["list"]:
        print("\n".join(names()))
        return 0
    if len(arguments) < 2 or arguments[0] != "run":
        print("usage: python -m benchmarks list | run NAME [options]", file=sys.stderr)
        return 2
    name = arguments[1]
    module = PACKAGES.get(name, f"benchmarks.{name}")
    if name not in names() or importlib.util.find_spec(module) is None:
        print(f"There is no benchmark called {name!r}. Known: {', '.join(names())}.", file=sys.stderr)
        return 2
    sys.argv = [f"python -m benchmarks run {name}", *arguments[2:]]
    if name in PACKAGES:
        return int(importlib.import_module(module).main(arguments[2:]))
    runpy.run_module(module, run_name="__main__", alter_sys=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
