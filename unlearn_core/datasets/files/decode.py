"""One picture to uint8 of a common size and number of channels; whatever its file does, memory stays bounded."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from unlearn_core.datasets.files.bounds import MAX_PIXELS
from unlearn_core.datasets.files.encoded import with_its_end, without_long_texts
from unlearn_core.datasets.files.levels import LARGEST, NoScale, depth_of, scale_of_floats
from unlearn_core.datasets.files.listing import MAX_FILE_BYTES, Picture

REVISION = 2
"""Part of the key of everything decoded: raised when the same file would give other pixels, or other things are said of it."""
BACKGROUND = "white"
"""What transparent pictures are laid on."""
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""Pillow may try no other format: some of them start other programs or are seldom checked."""

LARGE_PIXELS = 16_000_000
large_picture_lock = threading.Lock()
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


@dataclass(frozen=True)
class Ranges:
    """What pictures of more than 8 bits hold, over a whole collection, so that one scale serves them all. ``largest``: of the
    whole numbers; ``low`` and ``high``: of the floats."""

    largest: int = 0
    low: float = 0.0
    high: float = 0.0

    def __or__(self, other: Ranges) -> Ranges:
        return Ranges(max(self.largest, other.largest), min(self.low, other.low), max(self.high, other.high))

    @property
    def depth(self) -> int:
        """Bits of the whole numbers, 8 where there are none."""
        return depth_of(self.largest)


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
            picture = Image.open(io.BytesIO(without_long_texts(source)), formats=FORMATS)
    except BROKEN as error:
        raise Unreadable(_reason(error)) from None
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise Unreadable(f"has {width:,}×{height:,} pixels, at most {MAX_PIXELS // 10**6} million are decoded")
    if not width or not height:
        raise Unreadable("has no pixels")
    return picture


def decode(
    picture: Picture, size: int, channels: int, ranges: Ranges | None = None, done: set[str] | None = None
) -> np.ndarray:
    """Pixels as uint8 (channels, size, size): turned upright, cropped around the middle to a square, resized.

    A picture that has this size already keeps every pixel. A transparent one is laid on :data:`BACKGROUND`; more than 8 bits
    are scaled by ``ranges``, those of the collection (without them, of this picture). What was done that not every picture
    needs is added to ``done``: the names of :mod:`said`. Raises :class:`Unreadable` for a damaged file.
    """
    done = set() if done is None else done
    try:
        image = picture if isinstance(picture, Image.Image) else _from_array(picture)
        _note_shape(image, size, channels, done)
        if image.format in ("JPEG", "MPO"):
            image.draft("L" if channels == 1 else "RGB", (2 * size, 2 * size))  # decodes large photographs at a fraction
        with _at_its_turn(image):
            image = _load_pixels(image)
            image = turn_upright(image)
            image = _opaque(_eight_bits(image, ranges, done), done).convert("L" if channels == 1 else "RGB")
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


def is_deep(picture: Picture) -> bool:
    """Whether a picture has values beyond 8 bits."""
    return isinstance(picture, Image.Image) and picture.mode.startswith(("I", "F"))


def may_be_transparent(picture: Picture) -> bool:
    """Whether the header of a picture speaks of transparency."""
    if isinstance(picture, Image.Image):
        return picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info
    return picture.ndim == 3 and picture.shape[-1] == 4


def measure(picture: Picture) -> tuple[Ranges, bool]:
    """The range of a deep picture, and whether anything of it is transparent; decodes it. Raises :class:`Unreadable`."""
    try:
        image = picture if isinstance(picture, Image.Image) else _from_array(picture)
        with _at_its_turn(image):
            image = _load_pixels(image)
            if not is_deep(image):
                return Ranges(), _alpha(image) is not None
            return _range_of(image), False
    except BROKEN as error:
        raise Unreadable(_reason(error)) from None


def _range_of(image: Image.Image) -> Ranges:
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if image.mode == "F":
        if not np.isfinite(low) or not np.isfinite(high):
            raise Unreadable("has pixels that are no numbers")
        return Ranges(low=low, high=high)
    if low < 0 or high > LARGEST:
        raise Unreadable(f"has values from {low:,.0f} to {high:,.0f} (pixels run from 0 to at most {LARGEST:,})")
    return Ranges(int(high))


def short_side(picture: Picture) -> int:
    """Pixels along the shorter side."""
    return min(size_of(picture))


def size_of(picture: Picture) -> tuple[int, int]:
    """Width and height, as stored."""
    return picture.size if isinstance(picture, Image.Image) else (int(picture.shape[1]), int(picture.shape[0]))


@contextlib.contextmanager
def _at_its_turn(image: Image.Image) -> Iterator[None]:
    large = image.width * image.height > LARGE_PIXELS
    with large_picture_lock if large else contextlib.nullcontext(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _load_pixels(image: Image.Image) -> Image.Image:
    """Its pixels in memory. A JPEG that lacks nothing but the mark of its end has all of them."""
    try:
        image.load()
    except OSError as error:
        whole = with_its_end(image) if image.format in ("JPEG", "MPO") and "truncated" in str(error) else None
        if whole is None:
            raise
        return whole
    return image


def _note_shape(image: Image.Image, size: int, channels: int, done: set[str]) -> None:
    short, long = sorted(image.size)
    if long > 2 * short:
        done.add("cropped")
    if short < size:
        done.add("enlarged")
    if 2 * short < size:
        done.add("much enlarged")
    if _holds_several(image):
        done.add("first")
    grey = is_grey(image)
    if grey and channels == 3:
        done.add("grey")
    elif not grey and channels == 1:
        done.add("colour")
    tiles = getattr(image, "tile", None)
    if tiles and ";16" in str(tiles[0][3]) and not is_deep(image):
        done.add("upper bits")


def _holds_several(image: Image.Image) -> bool:
    """Whether a file is an animation or has pages. What telephones add to their JPEGs are smaller copies of the first."""
    with contextlib.suppress(*BROKEN):
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    return False  # what follows the first picture is damaged


def turn_upright(image: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation says."""
    return ImageOps.exif_transpose(image) if image.format in ("JPEG", "MPO", "TIFF", "WEBP", "PNG") else image


def _from_array(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels))


def _alpha(image: Image.Image) -> Image.Image | None:
    """The picture as RGBA where anything in it is transparent, or None."""
    if not may_be_transparent(image):
        return None
    full = image.convert("RGBA")
    return full if np.asarray(full.getchannel("A")).min() < 255 else None


def _opaque(image: Image.Image, done: set[str]) -> Image.Image:
    full = _alpha(image)
    if full is None:
        return image
    done.add("transparent")
    laid = Image.alpha_composite(Image.new("RGBA", full.size, BACKGROUND), full).convert("RGB")
    if all(low == high for low, high in laid.getextrema()):  # type: ignore[misc]
        done.add("vanished")
    return laid


def _eight_bits(image: Image.Image, ranges: Ranges | None, done: set[str]) -> Image.Image:
    """Deep pixels scaled to eight bits, rounded down; Pillow's own conversion would cut everything above 255."""
    if not is_deep(image):
        return image
    own = _range_of(image)
    ranges = own if ranges is None else ranges
    done.add("deep")
    values = np.asarray(image)
    if image.mode == "F":
        try:
            return Image.fromarray(scale_of_floats(ranges.low, ranges.high).apply(values))
        except NoScale as error:
            raise Unreadable(
                f"has floating-point pixels (in all images they run from {ranges.low:g} to {ranges.high:g}{error})"
            ) from None
    if ranges.depth == 16:
        return Image.fromarray((values // 257).astype(np.uint8))  # the same as below, in less memory
    if ranges.depth > 8:
        values = values.astype(np.uint32)  # a hostile file has 64 million of them, so the rest is in place
        values *= 255
        values //= 2**ranges.depth - 1
    return Image.fromarray(np.minimum(values, 255).astype(np.uint8))


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "is missing"
    if isinstance(error, PermissionError):
        return "may not be read"
    if isinstance(error, Image.DecompressionBombError):
        return f"has more than {MAX_PIXELS // 10**6} million pixels"
    if isinstance(error, UnidentifiedImageError):
        return "is no image that can be read"
    if "truncated" in str(error).lower():
        return "is damaged: the file ends before the picture does"
    return "is damaged"
