"""Paths as people type them or links bring them: what cannot be a path gets one sentence before anything is opened."""

from __future__ import annotations

import os
from pathlib import Path

from unlearn_core.errors import UserError

MAX_PATH, MAX_NAME = 4096, 255
"""Bytes of a path and of one of its names that Linux takes; other systems take no more."""


def typed_path(text: str | Path, what: str, *, kept: bool = True) -> Path:
    """The absolute path that ``text`` means; nothing is looked up.

    ``what`` names it in the sentence: "the data". ``kept``: whether the path goes into results and pages, so that it has to be
    UTF-8 text. Raises :class:`UserError` for what no file can be called, an unknown ``~name``, a current folder that is gone.
    """
    given = str(text)
    if why := _impossible(given, kept=kept):
        raise UserError(f"The path of {what} cannot be a path: it {why}.")
    full = os.path.expanduser(given)
    if full.startswith("~"):
        raise UserError(f"The path of {what} begins with {full.split('/')[0][:60]!r}, but there is no such user here.")
    try:
        return Path(os.path.abspath(full))
    except OSError:
        raise UserError(f"The path of {what} is relative, but the current folder is gone; give all of the path.") from None


def typed_target(text: str | Path, option: str) -> Path:
    """:func:`typed_path` of a file to write, said before anything is computed; its folder has to be there."""
    path = typed_path(text, option, kept=False)
    if not os.path.isdir(path.parent):
        raise UserError(f"The folder of {option} {str(text)!r} does not exist.")
    if os.path.isdir(path):
        raise UserError(f"{option} {str(text)!r} is in the way of a folder.")
    return path


def _impossible(text: str, *, kept: bool) -> str:
    if not text.strip():
        return "is empty"
    if "\0" in text:
        return "has a NUL character in it"
    try:
        raw = os.fsencode(text)
        if kept:
            text.encode()
    except UnicodeEncodeError:
        return "is not UTF-8 text; rename the folder, or make a link to it with another name"
    if len(raw) > MAX_PATH:
        return f"has {len(raw):,} bytes, more than {MAX_PATH:,}"
    if (longest := max(map(len, raw.split(b"/")))) > MAX_NAME:
        return f"has a name of {longest:,} bytes, more than {MAX_NAME}"
    return ""
