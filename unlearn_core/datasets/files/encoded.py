"""Sound pictures that Pillow refuses all the same: PNGs with long texts, JPEGs without the mark of their end."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageFile

_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
LONGEST_TEXT = 64 * 2**10
"""Bytes of a text, unpacked; Pillow refuses a picture with more than a megabyte. Shorter ones stay: some say how to turn it."""
_FILLER = bytes(range(1, 200)) * 40
"""Bytes that a JPEG decoder takes for more of the picture, if it waits for more (no 0xFF, which begins a mark)."""


def without_long_texts(data: bytes) -> bytes:
    """A PNG without the texts and colour profiles that unpack to more than :data:`LONGEST_TEXT`, which no pixel depends on:
    image generators keep their whole workflow there. Other data, and what follows the first damage, stay as they are."""
    if not data.startswith(_PNG):
        return data
    kept, at, start = [], len(_PNG), 0
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">L4s", data, at)
        end = at + 12 + length
        if end > len(data) or kind == b"IEND":
            break
        if kind in _TEXTS and _is_long(kind, data[at + 8 : end - 4]):
            kept.append(data[start:at])
            start = end
        at = end
    return b"".join([*kept, data[start:]]) if kept else data


def _is_long(kind: bytes, text: bytes) -> bool:
    if kind != b"tEXt" and len(text) <= LONGEST_TEXT:
        packed = text.partition(b"\0")[2]  # after the keyword
        if kind == b"iTXt":
            if not packed.startswith(b"\1"):
                return False
            packed = packed[2:].partition(b"\0")[2].partition(b"\0")[2]  # after the language and the translated keyword
        else:
            packed = packed[1:]
        try:
            return len(zlib.decompressobj().decompress(packed, LONGEST_TEXT + 1)) > LONGEST_TEXT
        except zlib.error:
            return False  # damaged: Pillow says what it makes of it
    return len(text) > LONGEST_TEXT


def with_its_end(image: Image.Image) -> Image.Image | None:
    """A JPEG whose file lacks its last two bytes and no more, read whole; None where a part of the picture is missing.

    Decoders fill what is missing with grey. So two different continuations are decoded: a picture that was all there does not
    depend on them.
    """
    if not isinstance(image, ImageFile.ImageFile) or image.fp is None:
        return None
    image.fp.seek(0)
    data = image.fp.read()
    found = [Image.open(io.BytesIO(data + more + b"\xff\xd9"), formats=("JPEG",)) for more in (b"", _FILLER)]
    for one in found:
        one.draft(image.mode, image.size)
        one.load()
    return found[0] if np.array_equal(np.asarray(found[0]), np.asarray(found[1])) else None
