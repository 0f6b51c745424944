"""What a link may open without asking: files inside the allowed folders. Anything else, and every download, is a question.

Links come from strangers. Nothing outside the allowed folders is looked at before you say so: whether a file is there,
is another user's or cannot be read makes no difference to what is shown.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unlearn_core.errors import UserError
from unlearn_core.support.visitor_files import of_link

ROOTS: Final = "UNLEARN_DATA_ROOTS"
PATHS: Final = ("own", "dataset.data", "model.weights", "corruption.file")
"""Everything in a link that names files: the page Your own, a dataset's files or folder, a checkpoint, a table of labels."""
DOWNLOAD: Final = "dataset.download"
Pair = tuple[str, str]


@dataclass(frozen=True)
class Question:
    """What a link asks for and does not get by itself: files to open, or a dataset to download into the cache folder."""

    paths: tuple[str, ...] = ()
    download: str = ""

    def __bool__(self) -> bool:
        return bool(self.paths or self.download)


def data_roots() -> list[Path]:
    """The folders in ``UNLEARN_DATA_ROOTS``, separated as in ``PATH``; without it the user's home and the current folder."""
    given = os.environ.get(ROOTS)
    if given is not None:
        return [Path(os.path.realpath(os.path.expanduser(one))) for one in given.split(os.pathsep) if one.strip()]
    # A service may have the whole disk as its home or current folder: that was never chosen for data.
    found = [Path(os.path.realpath(one)) for one in (os.path.expanduser("~"), os.getcwd())]
    return [root for root in found if root != Path(root.anchor)]


def inside_roots(text: str, also: Iterable[Path] = ()) -> bool:
    """Whether this path, with every link on the way followed, is inside an allowed folder (or one of ``also``)."""
    if text.startswith(("\\\\", "//")):  # a share of another machine, which looking at would already ask
        return False
    try:
        path = Path(os.path.realpath(os.path.expanduser(text.strip())))
    except (OSError, ValueError):  # no path at all
        return False
    return any(path.is_relative_to(root) for root in (*data_roots(), *(Path(os.path.realpath(one)) for one in also)))


def sift(
    pairs: Iterable[Pair],
    opened: Collection[str] = (),
    also: Iterable[Path] = (),
    closed: bool = False,
    handed_over: Path | None = None,
) -> tuple[list[Pair], Question]:
    """What of a link may be followed at once, and what has to be asked. ``opened``: paths that you typed or opened;
    ``closed``: no file may be opened, wherever it lies, but for those in ``handed_over`` that are named as strangers' files
    are (:mod:`unlearn_core.support.visitor_files`)."""
    pairs, also, mine = list(pairs), list(also), set[Pair]()
    if handed_over is not None:
        named = {pair: of_link(pair[1], handed_over) for pair in pairs if pair[0] in ("own", "dataset.data")}
        pairs = [(pair[0], named.get(pair) or pair[1]) for pair in pairs]
        mine = {(pair[0], path) for pair, path in named.items() if path}
    held = [
        (name, value)
        for name, value in pairs
        if name in PATHS
        and value.strip()
        and (name, value) not in mine
        and (closed or (value not in opened and not inside_roots(value, also)))
    ]
    names = {name for name, _ in held}
    if "dataset.data" in names:  # without its files nothing in the link about this dataset has a meaning
        pairs = [pair for pair in pairs if pair[0] != "dataset" and not pair[0].startswith("dataset.")]
    kept = [pair for pair in pairs if pair[0] not in names and pair[0] != DOWNLOAD]
    missing = "" if "dataset.data" in names else _missing(dict(kept))
    if missing:
        kept = [pair for pair in kept if pair[0] != "dataset" and not pair[0].startswith("dataset.")]
    return kept, Question(tuple(dict.fromkeys(value for _, value in held)), missing)


def _missing(pairs: dict[str, str]) -> str:
    """The link's dataset, if it can be downloaded and its files are neither where the link says nor in the cache folder."""
    name, data = pairs.get("dataset", ""), pairs.get("dataset.data", "")
    return name if name and downloadable(name) and not _there(name, data) else ""


def downloadable(name: str) -> bool:
    """Whether this dataset can be fetched from the internet."""
    from unlearn_core.datasets import registry

    return name in registry.names() and registry.get(name).download_bytes > 0


def _there(name: str, data: str) -> bool:
    from unlearn_core.datasets import registry

    try:
        registry.get(name).full_params({"data": data})
    except UserError:
        return False
    return True
