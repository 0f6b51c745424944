"""Whole numbers as bytes, small ones in one byte, and bytes as text of the alphabet of links: what links hold lists in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator


def seven_bits(number: int) -> bytes:
    """A number ≥ 0 in groups of seven bits, the lowest first; all bytes but the last have their highest bit set."""
    found = bytearray()
    while number >= 128:
        found.append(number % 128 + 128)
        number //= 128
    return bytes((*found, number))


def numbers(written: bytes) -> Iterator[int]:
    """The numbers that :func:`seven_bits` wrote one after another; raises ``ValueError`` where one is cut off or over 2³⁵."""
    number = shift = 0
    for byte in written:
        number += (byte % 128) << shift
        shift += 7
        if byte < 128:
            yield number
            number = shift = 0
        elif shift > 28:
            raise ValueError("a number of more than five bytes")
    if shift:
        raise ValueError("the last number was cut off")


def as_link_text(written: bytes) -> str:
    """Bytes as letters, digits, ``-`` and ``_``."""
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def from_link_text(text: str) -> bytes:
    """The bytes behind :func:`as_link_text`; raises ``ValueError`` where the text is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
