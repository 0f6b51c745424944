"""Which training examples a person chose and pinned, as text that fits into a link."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from unlearn_core.errors import UserError
from unlearn_core.support.seven_bits import as_link_text, from_link_text, numbers, seven_bits
from unlearn_core.view_state.controls import CONTROLS, MAX_MARKED, State, by_name

MAX_PINS: Final = 12

_OF_DATA: Final = {one.name for one in CONTROLS if one.scenario} - {"discovery", "forget", "model", "recipe"}
_SECTIONS: Final = ("dataset", "corruption", "trigger")
_MARK_BYTES: Final = 2
_GAPS, _BITS = 0, 1
_UNREADABLE: Final = "The examples that the link selects cannot be read: it was cut off or changed on its way."
_OTHER: Final = "The examples that the link selects are those of other data; none is selected."


@dataclass(frozen=True)
class Marked:
    """``chosen``: training indices, ascending; ``pins``: the oldest first; ``inspected``: the one that is looked at closely."""

    chosen: tuple[int, ...] = ()
    pins: tuple[int, ...] = ()
    inspected: int | None = None


def encode_marked(marked: Marked, of: str) -> str:
    """The marked examples of the data with the key ``of`` as text; "" where none is.

    Two bytes that tell the data from others, the inspected example, the pins, and the chosen ones as the gaps between them
    or as one bit each, whichever is shorter. What is longer than :data:`MAX_MARKED` characters all the same is left without
    the chosen ones: :func:`fits` tells.
    """
    if marked == Marked():
        return ""
    head = [0 if marked.inspected is None else marked.inspected + 1, len(marked.pins), *marked.pins]
    written = _data_mark(of) + b"".join(map(seven_bits, head))
    text = as_link_text(written + min(_gaps(marked.chosen), _bits(marked.chosen), key=len))
    return text if len(text) <= MAX_MARKED else encode_marked(replace(marked, chosen=()), of)


def fits(marked: Marked, of: str) -> bool:
    """Whether a link holds all of it."""
    text = encode_marked(marked, of)
    return (decode_marked(text, of) if text else Marked()) == marked


def decode_marked(text: str, of: str) -> Marked:
    """The marked examples behind a text; raises :class:`UserError` where it is none, or one of other data than ``of``."""
    try:
        written = from_link_text(text)
        found = _read(list(numbers(written[_MARK_BYTES:])))
    except (ValueError, IndexError):
        raise UserError(_UNREADABLE) from None
    if written[:_MARK_BYTES] != _data_mark(of):
        raise UserError(_OTHER)
    return found


def same_data(before: State, after: State) -> bool:
    """Whether two views are, as far as their controls say, of the same corrupted data: what was chosen in one means the same in
    the other. Only the keys of their scenarios know for sure."""
    one, other = by_name(before), by_name(after)
    sections = [
        {name: value for name, value in state["overrides"].items() if name.partition(".")[0] in _SECTIONS}
        for state in (before, after)
    ]
    return sections[0] == sections[1] and all(one[name] == other[name] for name in _OF_DATA)


def _data_mark(of: str) -> bytes:
    return zlib.crc32(of.encode()).to_bytes(4, "big")[:_MARK_BYTES]


def _gaps(chosen: Sequence[int]) -> bytes:
    steps = (after - before - 1 for before, after in zip((-1, *chosen), chosen, strict=False))
    return b"".join(map(seven_bits, (_GAPS, *steps)))


def _bits(chosen: Sequence[int]) -> bytes:
    """Seven examples a byte, so that a byte is a number of its own for whoever reads."""
    found = bytearray(1 + chosen[-1] // 7 if chosen else 0)
    for index in chosen:
        found[index // 7] |= 1 << index % 7
    return bytes((_BITS, *found))


def _read(read: Sequence[int]) -> Marked:
    inspected, pins = read[0], read[1]
    how, rest = read[2 + pins], read[3 + pins :]
    chosen: list[int] = []
    if how == _GAPS:
        for gap in rest:
            chosen.append((chosen[-1] if chosen else -1) + gap + 1)
    elif how == _BITS:
        chosen = [7 * at + bit for at, byte in enumerate(rest) for bit in range(7) if byte >> bit & 1]
    else:
        raise ValueError("neither gaps nor bits")
    return Marked(tuple(chosen), tuple(dict.fromkeys(read[2 : 2 + pins]))[:MAX_PINS], inspected - 1 if inspected else None)
