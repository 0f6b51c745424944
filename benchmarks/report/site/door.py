"""The API page: whatever the front door exports, each where it is defined, so that lazy exports are documented too."""

from __future__ import annotations

import inspect

import unlearn_core

MARK = "<!-- the front door -->"


def entries() -> str:
    """Instructions to mkdocstrings, one for each name that ``unlearn_core`` exports."""
    names = [name for name in getattr(unlearn_core, "__all__", ()) if not name.startswith("__")]
    return "\n".join(entry(name, getattr(unlearn_core, name)) for name in sorted(names, key=str.lower))


def entry(name: str, thing: object) -> str:
    """One name: a heading, and its documentation where the code has it."""
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return f"## `{name}`\n\nA {type(thing).__name__}.\n"
    place = f"{thing.__module__}.{thing.__qualname__}"
    return f"## `{name}`\n\n::: {place}\n    options:\n      show_root_heading: false\n      show_root_toc_entry: false\n"
