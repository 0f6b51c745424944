"""What lies below a folder: images, and everything that is left out with the reason, so that it can be said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from unlearn_core.datasets.files.listing import SUFFIXES, check_count
from unlearn_core.datasets.files.names import are, some
from unlearn_core.errors import UserError

MAX_DEPTH, MAX_FOLDERS = 8, 100_000
"""Levels of folders that are entered, and folders in all: links among them could make any number."""
TABLES: Final = frozenset({".csv", ".tsv", ".parquet", ".pq"})
COMMON: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
"""Endings that need no word; the others of an image are counted in a sentence."""
_SYSTEM: Final = frozenset(
    {"@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "$recycle.bin", "system volume information"}
    | {"__macosx", "__pycache__", "found.000", "lost.dir", "lost+found", "thumbs.db", "desktop.ini"}
)
"""Thumbnails, trash and lost files, as network disks and systems keep them beside one's own; in lower case."""
_TOOLS: Final = frozenset({".git", ".github", ".hg", ".svn", ".dvc", ".datalad", ".idea", ".vscode", ".ds_store"})
"""Hidden folders that hold no images of a person; the sentence about hidden ones passes over them."""
_TEXTS: Final = frozenset(
    {".txt", ".md", ".rst", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".db", ".html", ".htm", ".log"}
    | {".pdf", ".py", ".ipynb", ".sh", ".dvc", ".sha256", ".md5"}
    | {"readme", "license", "licence", "makefile", "changelog", "notice", "authors", "version"}
)
"""Endings, and names without one, of what accompanies images without being one."""


@dataclass(frozen=True)
class FoundFile:
    """One image below the root: its path with slashes, bytes, times of change of content and of the entry in nanoseconds."""

    path: str
    size: int
    changed: int
    entry_changed: int = 0


@dataclass
class Found:
    """Images and the folders that were entered; the rest is what is left out, by reason."""

    files: list[FoundFile] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    read: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    system: Counter[str] = field(default_factory=Counter)
    hidden: set[str] = field(default_factory=set)
    tables: list[str] = field(default_factory=list)
    dangling: list[str] = field(default_factory=list)
    circles: list[str] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    deep: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)

    def skips(self, name: str, path: str, *, folder: bool) -> bool:
        """Whether an entry is the system's or hidden and so is left out; remembered to be said."""
        low = name.lower()
        if low in _SYSTEM or low.startswith("__macosx"):
            self.system[name] += 1
        elif not name.startswith("."):
            return False
        elif low.startswith((".trash", ".apple", ".@__thumb", ".ipynb_checkpoints", ".thumb", ".spotlight", ".fsevents")):
            self.system[name] += 1
        elif not low.startswith("._") and low not in _TOOLS and (folder or os.path.splitext(low)[1] in SUFFIXES):
            self.hidden.add(path)
        return True

    def takes(self, name: str, path: str) -> bool:
        """Whether a file is read as an image, by its ending; what is said about the others is remembered."""
        ending = os.path.splitext(name)[1].lower()
        if ending in SUFFIXES:
            if ending not in COMMON:
                self.read[ending] += 1
            return True
        if ending in TABLES:
            self.tables.append(path)
        elif ending not in _TEXTS and name.lower() not in _TEXTS:
            self.unread[ending] += 1
        return False

    def sentences(self) -> list[str]:
        """One sentence for every reason to leave something out, in a fixed order."""
        said = [*_links(self.dangling, [file.path for file in self.files])]
        if self.circles:
            lead = "is a link that leads" if len(self.circles) == 1 else "are links that lead"
            said.append(f"{some(sorted(self.circles))} {lead} back to a folder around it and {are(self.circles)} left out.")
        for names, one, more in (
            (self.locked, "cannot be read and is", "cannot be read and are"),
            (self.deep, f"lies more than {MAX_DEPTH} folders deep and is", f"lie more than {MAX_DEPTH} folders deep and are"),
            (self.special, "is no regular file and is", "are no regular files and are"),
            (self.hidden, "is hidden and", "are hidden and"),
        ):
            if names:
                said.append(f"{some(sorted(names))} {one if len(names) == 1 else more} left out.")
        if self.system:
            names = sorted(self.system)
            times = f" ({self.system.total():,} times)" if self.system.total() > len(names) else ""
            said.append(f"{some(names)} {are(names)} left out{times}: thumbnails, trash or files of the system.")
        if self.unread:
            said.append(f"Left out by their ending: {_count_endings(self.unread)}; save what is an image as .jpg or .png.")
        if self.read:
            said.append(f"Unusual endings that are read: {_count_endings(self.read)}.")
        if self.tables:
            lies, it = ("lies", "it") if len(self.tables) == 1 else ("lie", "one of them")
            said.append(
                f"Beside the images {lies} {some(sorted(self.tables))}; labels come from the folders, not from there. Give the "
                f"path of {it} to read it instead."
            )
        return said


def walk(root: Path) -> Found:
    """Everything below ``root``; raises :class:`UserError` where the folder itself cannot be read or is too large.

    Links are followed to files and folders; one that leads back to a folder around it is left out.
    """
    found = Found()
    try:
        os.scandir(root).close()
        about = os.stat(root)
    except (OSError, ValueError) as error:
        raise UserError(f"The folder {str(root)!r} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    _enter(root, "", found, ((about.st_dev, about.st_ino),))
    return found


def _enter(root: Path, prefix: str, found: Found, around: tuple[tuple[int, int], ...]) -> None:
    try:
        with os.scandir(os.path.join(root, prefix)) as entries:
            for entry in entries:
                _entry(root, entry, prefix + entry.name, found, around)
    except OSError:
        found.locked.append(prefix.rstrip("/"))
        return
    if prefix:
        found.folders.append(prefix.rstrip("/"))


def _entry(root: Path, entry: os.DirEntry[str], path: str, found: Found, around: tuple[tuple[int, int], ...]) -> None:
    try:
        folder = entry.is_dir()
        if found.skips(entry.name, path, folder=folder):
            return
        if folder:
            about = entry.stat()
            here = (about.st_dev, about.st_ino)
            if here in around:
                found.circles.append(path)
            elif len(around) > MAX_DEPTH:
                found.deep.append(path)
            elif len(found.folders) > MAX_FOLDERS:
                raise UserError(f"The folder {str(root)!r} has more than {MAX_FOLDERS:,} folders; give a part of it.")
            else:
                _enter(root, f"{path}/", found, (*around, here))
        elif entry.is_file():
            if found.takes(entry.name, path):
                about = entry.stat()
                found.files.append(FoundFile(path, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
                check_count(len(found.files), f"The folder {str(root)!r}")
        elif entry.is_symlink():
            found.dangling.append(path)
        else:
            found.special.append(path)
    except OSError:
        # A link to itself, one through a folder that may not be entered, a disk that went away.
        (found.dangling if entry.is_symlink() else found.locked).append(path)


def _links(dangling: Sequence[str], files: Sequence[str]) -> list[str]:
    """Links whose target is gone, by the folder that they lie in: how many of its images are missing."""
    if not dangling:
        return []
    gone = Counter(os.path.dirname(path) for path in dangling)
    there = Counter(os.path.dirname(path) for path in files)
    shown = [f"{count:,} of {count + there[name]:,} in {some([name or '.'])}" for name, count in gone.most_common(3)]
    more = f" and others in {len(gone) - 3:,} more folders" if len(gone) > 3 else ""
    one = "1 link leads to a file that is" if len(dangling) == 1 else f"{len(dangling):,} links lead to files that are"
    return [f"{one} missing or out of reach ({', '.join(shown)}{more}) and left out, for example {some(sorted(dangling)[:1])}."]


def _count_endings(endings: Counter[str]) -> str:
    """3 .heic, 1 without an ending"""
    parts = [
        f"{count:,} {some([ending])[1:-1] if ending else 'without an ending'}"
        for ending, count in sorted(endings.items(), key=lambda item: (-item[1], item[0]))
    ]
    return ", ".join(parts[:5]) + (f" and {len(parts) - 5:,} other endings" if len(parts) > 5 else "")
