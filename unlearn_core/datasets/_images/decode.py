"""One picture to uint8 of a common size and number of channels; whatever its file does, memory stays bounded."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from unlearn_core.datasets._images.listing import MAX_FILE_BYTES, Picture

REVISION = 1
"""Part of the key of everything decoded: raised when the same file would give other pixels."""
MAX_PIXELS = 64_000_000
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""Pillow may try no other format: some of them start other programs or are seldom checked."""

LARGE_PIXELS = 16_000_000
_one_large = threading.Lock()
"""Larger pictures are decoded one at a time: several threads would hold a gigabyte each."""

BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow raises for damaged files, depending on the format and on the damage."""


class Unreadable(Exception):
    """A picture that cannot be used; the message completes "cat.jpg …"."""


def open_picture(source: Path | bytes) -> Image.Image:
    """Read the header of an encoded picture; raises :class:`Unreadable` for no picture or one that is too large."""
    try:
        if isinstance(source, Path):
            size = source.stat().st_size
            if size > MAX_FILE_BYTES:
                raise Unreadable(f"has {size / 2**20:,.0f} MB, at most {MAX_FILE_BYTES // 2**20} are read")
            source = source.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's warnings about size and damage; both are judged here
            picture = Image.open(io.BytesIO(source), formats=FORMATS)
    except BROKEN as error:
        raise Unreadable(_reason(error)) from None
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise Unreadable(f"has {width:,}×{height:,} pixels, at most {MAX_PIXELS // 10**6} million are decoded")
    if not width or not height:
        raise Unreadable("has no pixels")
    return picture


def decode(picture: Picture, size: int, channels: int) -> np.ndarray:
    """Pixels as uint8 (channels, size, size): turned upright, cropped around the middle to a square, resized.

    A picture that has this size already keeps every pixel. Transparency is dropped, as torchvision's ImageFolder does.
    Raises :class:`Unreadable` for a damaged file.
    """
    try:
        image = picture if isinstance(picture, Image.Image) else _from_array(picture)
        if image.format in ("JPEG", "MPO"):
            image.draft("L" if channels == 1 else "RGB", (2 * size, 2 * size))  # decodes large photographs at a fraction
        large = image.width * image.height > LARGE_PIXELS
        with _one_large if large else contextlib.nullcontext(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _upright(image)
            image = _eight_bits(image).convert("L" if channels == 1 else "RGB")
            if image.size != (size, size):
                image = ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC)
            pixels = np.asarray(image, np.uint8)
    except BROKEN as error:
        raise Unreadable(_reason(error)) from None
    return pixels[None] if channels == 1 else np.moveaxis(pixels, -1, 0)


def is_grey(picture: Picture) -> bool:
    """Whether a picture has one channel (its header says so; a colour file that shows only greys counts as colour)."""
    if isinstance(picture, Image.Image):
        return picture.mode in ("1", "L", "LA", "I", "F") or picture.mode.startswith("I;16")
    return picture.ndim == 2 or picture.shape[-1] == 1


def short_side(picture: Picture) -> int:
    """Pixels along the shorter side."""
    return min(picture.size) if isinstance(picture, Image.Image) else int(min(picture.shape[:2]))


def _upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image) if image.format in ("JPEG", "MPO", "TIFF", "WEBP", "PNG") else image


def _from_array(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Sixteen bits scaled to eight; Pillow's own conversion would cut everything above 255."""
    if image.mode.startswith("I"):
        values = np.asarray(image)  # in place where it can be: a hostile file has 64 million of them
        values = values // 257 if values.max(initial=0) > 255 else values
        return Image.fromarray(np.clip(values, 0, 255, out=values if values.flags.writeable else None).astype(np.uint8))
    if image.mode == "F":
        raise Unreadable("has floating-point pixels, whose range nothing tells")
    return image


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "is missing"
    if isinstance(error, PermissionError):
        return "may not be read"
    if isinstance(error, Image.DecompressionBombError):
        return f"has more than {MAX_PIXELS // 10**6} million pixels"
    if isinstance(error, Image.UnidentifiedImageError):
        return "is no image that can be read"
    return "is damaged"
