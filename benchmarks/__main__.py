"""The one runner of the laboratory.

    python -m benchmarks list                      what there is, a line each
    python -m benchmarks run NAME [options]        measure something; its outcome goes to benchmarks/results/
    python -m benchmarks report [NAME] [options]   write what the documents say of these results

Without NAME every document is written that the committed results are enough for. This file imports nothing heavy: workers that
start anew read it again.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
FOLDERS = {"run": "measure", "report": "report"}
PAGES = ("attacks", "cluster", "discovery", "kinds", "knowing", "looks", "methods", "metrics", "models", "performance", "soak")
"""Reports that need neither a store nor rows that are not there yet."""


def commands(word: str) -> dict[str, Path]:
    """What ``run`` or ``report`` can be followed by: the modules with a ``main``, and the packages with such a ``command``."""
    folder = HERE / FOLDERS[word]
    found = {path.stem: path for path in folder.glob("*.py")} | {path.parent.name: path for path in folder.glob("*/command.py")}
    return {name: found[name] for name in sorted(found) if "\ndef main(" in found[name].read_text(encoding="utf-8")}


def describe(path: Path) -> str:
    """The first line of a module's docstring, without importing it."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def start(word: str, name: str, options: Sequence[str]) -> int:
    """Run the command of one module; returns the exit status."""
    module = commands(word)[name].relative_to(HERE.parent).with_suffix("")
    sys.argv = [f"python -m benchmarks {word} {name}", *options]
    return int(importlib.import_module(".".join(module.parts)).main() or 0)


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; returns the exit status."""
    if list(arguments) == ["list"]:
        for word in FOLDERS:
            for name, path in commands(word).items():
                print(f"{word} {name:20s} {describe(path)}".rstrip())
        return 0
    if list(arguments) == ["report"]:
        return max(start("report", name, ()) for name in PAGES)
    if len(arguments) < 2 or arguments[0] not in FOLDERS:
        print("usage: python -m benchmarks list | run NAME [options] | report [NAME] [options]", file=sys.stderr)
        return 2
    word, name, *options = arguments
    if name not in commands(word):
        kind = "benchmark" if word == "run" else "report"
        print(f"There is no {kind} called {name!r}. Known: {', '.join(commands(word))}.", file=sys.stderr)
        return 2
    return start(word, name, options)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
