"""What may come from strangers at most, and what the readers of zips and arrays raise for damaged ones, as sentences."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib

from unlearn_core.errors import UserError

MAX_PIXELS = 64_000_000
"""Of one picture."""
MAX_RATIO = 100
"""Images hardly compress; an archive that unpacks to more than this many times its size (and what is free) is a bomb."""
FREE_PIXELS, MOST_PIXELS_PER_BYTE = 4 * 10**9, 100
"""All pictures of an archive together, from their headers: photographs have ten pixels a byte, flat drawings a few hundred."""

DAMAGED = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    NotImplementedError,  # a version or a compression that zipfile does not know
    RuntimeError,  # an encrypted entry
    struct.error,
    OverflowError,
    MemoryError,
)
"""What reading an entry of a zip raises, depending on the damage; none of it is a mistake of this program."""


def reason_of(error: BaseException) -> str:
    """A clause that says truly why, without a full stop; completes "… cannot be read: "."""
    text = (str(error).splitlines() or [""])[0].rstrip(".")
    if isinstance(error, NotImplementedError):
        return f"it is compressed in a way that is not read here ({text}); pack it anew with the usual method, deflate"
    if "encrypted" in text or "password" in text.lower():
        return "it is encrypted; give one without a password"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(error, zlib.error | lzma.LZMAError | EOFError | struct.error):
        return "it is damaged or cut short"
    return text[:200] or "it is damaged"


def check_ratio(unpacked: int, packed: int, free: int, where: str) -> None:
    """Raise :class:`UserError` for what unpacks to far more than it has; ``free`` bytes are always taken."""
    if unpacked > max(MAX_RATIO * packed, free):
        raise UserError(
            f"{where} is refused: it would unpack to {unpacked / 2**30:,.1f} GB, {unpacked / max(1, packed):,.0f} times "
            "its size."
        )


def check_pixels(pixels: int, packed: int, where: str) -> None:
    """Raise :class:`UserError` where the headers of all pictures promise more pixels than its bytes can hold."""
    if pixels > max(MOST_PIXELS_PER_BYTE * packed, FREE_PIXELS):
        raise UserError(
            f"{where} is refused: its images have {pixels / 1e9:,.1f} billion pixels, {pixels / max(1, packed):,.0f} for "
            "every byte of it."
        )
