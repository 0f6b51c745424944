"""The names in a zip: which entries are images, and what has to be said about how they are written."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from unlearn_core.datasets.files.names import readable, some
from unlearn_core.datasets.files.walk import COMMON, Found

UTF8_FLAG: Final = 0x800


@dataclass
class Entries:
    """``images``: entries by their path with slashes. ``folders``: all folders. ``before``: the images as the first version
    named them. The rest is counted for the sentences."""

    images: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    before: list[str] = field(default_factory=list)
    left: Found = field(default_factory=Found)
    backslashes: int = 0
    twice: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """One sentence for everything that was left out or guessed."""
        said = self.left.sentences()
        if self.backslashes:
            are = "entry is" if self.backslashes == 1 else "entries are"
            said.append(f"{self.backslashes:,} {are} written with backslashes, which are read as folders.")
        if self.guessed:
            said.append(
                f"{len(self.guessed):,} names are not marked as UTF-8 and are no UTF-8 text, for example "
                f"{some(self.guessed[:1])}; they are read in the code page 437."
            )
        if self.twice:
            times = "path comes" if len(self.twice) == 1 else "paths come"
            said.append(f"{len(self.twice):,} {times} more than once, for example {some(self.twice[:1])}; the last one counts.")
        return said


def read_entries(entries: Sequence[zipfile.ZipInfo]) -> Entries:
    """Sorted into images, folders and the rest."""
    found = Entries()
    for entry in entries:
        if not entry.is_dir() and _was_image(entry.filename):
            found.before.append(entry.filename)
        name, marked = _text(entry)
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        found.backslashes += "\\" in name
        if not parts or _is_left_out(parts, found.left):
            continue
        folder = name.endswith(("/", "\\"))
        depth = len(parts) if folder else len(parts) - 1
        found.folders |= {"/".join(parts[:k]) for k in range(1, depth + 1)}
        path = readable("/".join(parts))
        if folder or not found.left.takes(parts[-1], path):
            continue
        if not marked:
            found.guessed.append(path)
        if path in found.images:
            found.twice.append(path)
        found.images[path] = entry
    return found


def _text(entry: zipfile.ZipInfo) -> tuple[str, bool]:
    """The name, and whether its encoding is known. Tools on Macs and Linux write UTF-8 without marking it so."""
    name = entry.orig_filename
    if entry.flag_bits & UTF8_FLAG or name.isascii():
        return name, True
    try:
        return name.encode("cp437").decode("utf-8"), True
    except UnicodeError:
        return name, False


def _is_left_out(parts: Sequence[str], left: Found) -> bool:
    """Whether the entry or a folder around it is hidden or the system's."""
    last = len(parts) - 1
    return any(left.skips(part, "/".join(parts[: k + 1]), folder=k < last) for k, part in enumerate(parts))


def _was_image(name: str) -> bool:
    """Whether the first version took the entry for an image; it knew the common endings alone."""
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return os.path.splitext(name)[1].lower() in COMMON and not hidden
