"""What a collection holds, learnt once: on disk until its files change, in this process for some seconds."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import asdict, dataclass

from unlearn_core.datasets.files import cache
from unlearn_core.datasets.files.decode import REVISION, Ranges
from unlearn_core.datasets.files.listing import TEST, Collection
from unlearn_core.datasets.files.survey import survey
from unlearn_core.support.deferring import check_here

LOOK_AGAIN = 10.0
"""Seconds for which a folder counts as unchanged without being looked at."""
FACTS = 3
"""Raised when remembered facts mean something else."""


@dataclass(frozen=True)
class Facts:
    """What a collection holds. ``place`` is where it lies, ``content`` names it wherever it lies and as it is read now;
    ``files`` names the files alone: another one where the same files were read otherwise before. ``size`` and ``channels`` are
    sensible defaults; ``side`` is the largest shorter side in pixels: no image is enlarged up to there. ``train`` and ``test``
    count images (``test`` is 0 for a tree that is split by seed); ``largest``, ``low`` and ``high`` are the ranges of pictures
    with more than 8 bits. ``problems``: what the listing left out or guessed, of the place and time that ``signature`` stands
    for."""

    place: str
    signature: str
    content: str
    size: int
    channels: int
    classes: int
    train: int
    test: int
    files: str
    side: int
    largest: int
    low: float
    high: float
    problems: tuple[str, ...] = ()

    @property
    def ranges(self) -> Ranges:
        """For :func:`decode`."""
        return Ranges(self.largest, self.low, self.high)


Memo = tuple[str, str]
"""A dataset's name and its parameter ``data``."""

_recent: dict[Memo, tuple[float, Facts]] = {}
_lock = threading.Lock()


def find_facts(collection: Collection) -> Facts:
    """What the files hold; remembered until their sizes or modification times change."""
    place = str(collection.path)
    name = f"{type(collection).__name__}\0{place}"
    note = "about-" + hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    signature = f"{FACTS}.{REVISION}:{collection.signature()}"
    stored = cache.read_note(note)
    if stored is not None and stored.get("signature") == signature:
        try:
            return Facts(**stored | {"problems": tuple(stored.get("problems", ()))})
        except TypeError:
            pass  # written by another version
    check_here(signature)
    found = _read_facts(collection, signature)
    cache.write_note(note, asdict(found))
    return found


def _read_facts(collection: Collection, signature: str) -> Facts:
    listing = collection.listing()
    looked = survey(collection, listing)
    collection.check_pixels(looked.pixels)
    files = collection.content()
    if listing.reading:
        files = hashlib.sha256(f"{files}\0{listing.reading}".encode()).hexdigest()
    if reading := collection.reading():
        files = hashlib.sha256(f"{files}\n{reading}".encode()).hexdigest()
    content = hashlib.sha256(f"{files} revision 2".encode()).hexdigest() if looked.reread else files
    return Facts(
        place=str(collection.path),
        signature=signature,
        content=f"sha-{content[:32]}",
        size=looked.size,
        channels=looked.channels,
        classes=len(listing.class_names),
        train=int((listing.splits != TEST).sum()),
        test=int((listing.splits == TEST).sum()),
        files=f"sha-{files[:32]}",
        side=looked.side,
        problems=listing.problems,
        **asdict(looked.ranges),
    )


def recall_facts(memo: Memo) -> Facts | None:
    """Facts that this process learnt a moment ago."""
    with _lock:
        at, found = _recent.get(memo, (-LOOK_AGAIN, None))
    return found if time.monotonic() - at < LOOK_AGAIN else None


def remember_facts(memo: Memo, found: Facts) -> None:
    """Keep facts for :func:`recall_facts`."""
    with _lock:
        _recent[memo] = (time.monotonic(), found)


def forget_facts(memo: Memo | None = None) -> None:
    """What was learnt a moment ago, of one dataset or of all, may no longer be so: the next reader looks at the files."""
    with _lock:
        if memo is None:
            _recent.clear()
        else:
            _recent.pop(memo, None)
