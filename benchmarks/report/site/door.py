"""The API page: whatever the front door exports, each where it is defined, so that lazy exports are documented too."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import unlearn_core

MARK = "<!-- the front door -->"
OPTIONS = "    options: {show_root_heading: true, show_root_full_path: false, heading_level: 2}"


def entries() -> str:
    """Instructions to mkdocstrings, one for each name that ``unlearn_core`` exports."""
    names = [name for name in getattr(unlearn_core, "__all__", ()) if not name.startswith("__")]
    return "\n".join(f"::: {place_of(name)}\n{OPTIONS}\n" for name in sorted(names, key=str.lower))


def place_of(name: str) -> str:
    """The dotted name of an export: what the package's imports say, those for types included, or else the object itself."""
    tree = ast.parse(Path(str(unlearn_core.__file__)).read_text(encoding="utf-8"))
    modules = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    if module := next((node.module for node in modules if any(alias.name == name for alias in node.names)), None):
        return f"{module}.{name}"
    thing = getattr(unlearn_core, name)
    known = inspect.isclass(thing) or inspect.isroutine(thing)
    return f"{thing.__module__}.{thing.__qualname__}" if known else f"{unlearn_core.__name__}.{name}"
