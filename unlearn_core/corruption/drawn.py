"""A corruption drawn by hand: which points are given which wrong label, and which of them are known."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption import kinds
from unlearn_core.corruption.base import Change, Corruption, registry
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError
from unlearn_core.support.seven_bits import as_link_text, from_link_text, numbers, seven_bits

DRAWN: Final = "drawn"
MAX_POINTS: Final = 250
"""At most so many points in a drawing, which then fits into a link."""
MAX_LENGTH: Final = 400
"""Characters of a drawing as text: what a link takes of a parameter."""

_MARK_BYTES: Final = 2
_MARK_POINTS: Final = 16
_UNREADABLE: Final = "This drawing cannot be read: it was cut off or changed on its way."


@dataclass(frozen=True)
class Drawing:
    """``given``: training index → the class that this point is given; ``known``: those of them that are known."""

    given: Mapping[int, int] = field(default_factory=dict)
    known: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.given)

    @property
    def order(self) -> list[int]:
        """The order of discovery: the known points, then the others, both by index."""
        return sorted(self.given, key=lambda index: (index not in self.known, index))

    @property
    def rate(self) -> float:
        """The discovery rate at which exactly the known points are known, rounded as links write it."""
        return round(len(self.known) / len(self), 4) if self.given else 0.0

    def at_rate(self, rate: float) -> Drawing:
        """The same points, of which those are known that this discovery rate knows."""
        return Drawing(self.given, frozenset(self.order[: int(rate * len(self) + 0.5)]))

    def painted(self, indices: Iterable[int], label: int, clean: torch.Tensor, known: bool) -> Drawing:
        """These points are given the class ``label``; those that are truly of it (``clean``, int64 (N,)) are right again. New
        points are ``known`` or not; what is known of the others stays."""
        wanted = {int(index) for index in indices}
        wrong = {index for index in wanted if int(clean[index]) != label}
        given = {index: one for index, one in self.given.items() if index not in wanted} | dict.fromkeys(wrong, label)
        new = wrong - self.given.keys() if known else set()
        return Drawing(given, frozenset((self.known & given.keys()) | new))

    def marked(self, indices: Iterable[int], known: bool) -> Drawing:
        """Those of these points that are given a wrong label become known, or not known."""
        meant = {int(index) for index in indices} & self.given.keys()
        return Drawing(self.given, frozenset(self.known | meant if known else self.known - meant))

    def cleared(self, indices: Iterable[int]) -> Drawing:
        """These points with their right labels again."""
        gone = {int(index) for index in indices}
        return Drawing({index: one for index, one in self.given.items() if index not in gone}, self.known - gone)


def encode_drawing(drawing: Drawing, train: LabelledData) -> str:
    """A drawing as text of the alphabet of links; "" for an empty one. ``train``: its data, clean.

    Two bytes that tell the data from others, and how many points; then for every class, known points before unknown ones, what
    they are (2 · class, and 1 more where unknown), how many, and the gaps between their ascending indices; numbers in seven
    bits a byte. Equal drawings give equal text. Raises :class:`UserError` for more than :data:`MAX_POINTS` points or
    :data:`MAX_LENGTH` characters.
    """
    if not drawing.given:
        return ""
    if len(drawing) > MAX_POINTS:
        raise UserError(
            f"A drawing holds at most {MAX_POINTS} points, so that it fits into a link; this one has {len(drawing)}."
        )
    text = _write(drawing, _mark(train))
    if len(text) > MAX_LENGTH:
        raise UserError(
            f"This drawing is too wide for a link: {len(drawing)} points that lie far apart in the list of examples."
        )
    return text


def decode_drawing(text: str) -> Drawing:
    """The drawing behind a text, whatever its data. Raises :class:`UserError` where it is none, or is not as
    :func:`encode_drawing` writes it, because the same drawing would then have two keys."""
    return _read(text)[0]


def check_drawing(text: str, train: LabelledData) -> Drawing:
    """The drawing behind a text, if it can be one of these clean data; raises :class:`UserError` in one sentence where not."""
    if train.is_image:
        raise UserError("A corruption can be drawn on points in the plane only, and these data are images.")
    if not text:
        raise UserError("Nothing is drawn yet: choose a class on the page Craft, and lasso points to be given it.")
    drawing, mark = _read(text)
    last, classes = max(drawing.given), max(drawing.given.values())
    if last >= len(train):
        raise UserError(f"The drawing names point {last}, and there are {len(train)} training points, numbered from 0.")
    if classes >= train.classes:
        raise UserError(f"The drawing gives class {classes}, and there are {train.classes} classes, numbered from 0.")
    if mark != _mark(train):
        raise UserError("The drawing was made on other data: another dataset or another seed.")
    for index, label in drawing.given.items():
        if int(train.labels[index]) == label:
            raise UserError(f"The drawing gives point {index} the label {train.class_names[label]!r}, which is its right one.")
    return drawing


class DrawnParams(ComponentParams):
    flips: str = Field("", max_length=MAX_LENGTH, description="The drawing as text, made by the app or by encode_drawing")


@registry.register
class Drawn(Corruption[DrawnParams]):
    """A person's drawing. The known points come first in the order of discovery, so that the rate ``Drawing.rate`` finds
    exactly these; nothing is drawn at random, and the amount is the drawing's own."""

    name, label = DRAWN, "Drawn by hand"
    summary = "You choose the points, the wrong labels that they are given, and which of them are known."
    own_amount: ClassVar[bool] = True

    @classmethod
    def change(cls, params: DrawnParams, train: LabelledData, count: int, seed: int) -> Change:
        drawing = check_drawing(params.flips, train)
        order = drawing.order
        given = torch.tensor([drawing.given[index] for index in order])
        return Change(torch.tensor(order), given, kinds=torch.full((len(order),), kinds.DRAWN, dtype=torch.int8))


def _mark(train: LabelledData) -> bytes:
    """What tells these points from those of another dataset or seed: the first of them, as coarse as any machine has them."""
    first = (100 * train.inputs[:_MARK_POINTS].double()).round().to(torch.int32)
    return zlib.crc32(first.numpy().tobytes(), len(train)).to_bytes(4, "big")[:_MARK_BYTES]


def _write(drawing: Drawing, mark: bytes) -> str:
    written = bytearray(mark + seven_bits(len(drawing)))
    groups: dict[int, list[int]] = {}
    for index, label in drawing.given.items():
        groups.setdefault(2 * label + (index not in drawing.known), []).append(index)
    for what, indices in sorted(groups.items()):
        ascending = sorted(indices)
        gaps = (after - before - 1 for before, after in zip([-1, *ascending[:-1]], ascending, strict=True))
        for number in (what, len(ascending), *gaps):
            written += seven_bits(number)
    return as_link_text(bytes(written))


def _read(text: str) -> tuple[Drawing, bytes]:
    try:
        written = from_link_text(text)
        mark, read = written[:_MARK_BYTES], list(numbers(written[_MARK_BYTES:]))
    except ValueError:
        raise UserError(_UNREADABLE) from None
    given, known, at = {}, set(), 1  # the number of points shows, when it is written again, if some are missing
    while at + 1 < len(read):
        what, count = read[at : at + 2]
        gaps = read[at + 2 : at + 2 + count]
        index = -1
        for gap in gaps:
            index += gap + 1
            given[index] = what // 2
            if not what % 2:
                known.add(index)
        at += 2 + count
    drawing = Drawing(given, frozenset(known))
    if not given or _write(drawing, mark) != text:
        raise UserError(_UNREADABLE)
    return drawing, mark
