"""From the values of pixels in a file to 0 to 255: one scale for everything that belongs together, never one per image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras and scanners give; the smallest that holds the largest value of all images is taken."""
LARGEST = 2 ** DEPTHS[-1] - 1
OVERSHOOT = 0.1
"""Resampling passes the ends of a range by a few per cent: floats may do so by this share of it, and are cut off there."""
LEAST_OF_255 = 32.0
"""Floats whose largest value lies between the end of 0 to 1 and this are neither from 0 to 1 nor, surely, from 0 to 255."""


class NoScale(ValueError):
    """Values that nothing tells how to read; the message completes "… runs from 0 to 1.7"."""


@dataclass(frozen=True)
class Scale:
    """``low`` becomes 0, ``high`` becomes 255, what lies beyond is cut off. ``cut``: whether values do lie beyond."""

    low: float
    high: float
    cut: bool = False

    @property
    def plain(self) -> bool:
        """Whether values are kept as they are."""
        return (self.low, self.high) == (0, 255)

    def __str__(self) -> str:
        return f"{self.low:,g} to {self.high:,.6g}" if self.high < 10_000 else f"{self.low:,g} to {self.high:,.0f}"

    def apply(self, values: np.ndarray) -> np.ndarray:
        """uint8 of the same shape, rounded to the nearest."""
        if values.dtype == np.uint8 and self.plain:
            return values
        result = np.empty(values.shape, np.uint8)
        for start in range(0, len(values), 1024):  # in pieces: the floats of everything would take eight times the memory
            piece = values[start : start + 1024]
            # Signed bytes minus -128 would pass the end of their type.
            piece = (piece.astype(np.float64) - self.low if self.low else piece) * (255 / (self.high - self.low))
            result[start : start + 1024] = piece.round().clip(0, 255)
        return result


def depth_of(largest: int) -> int:
    """Bits that whole numbers up to ``largest`` have; raises :class:`NoScale` above 16."""
    if largest > LARGEST:
        raise NoScale(f"; whole numbers run at most to {LARGEST:,} (16 bits)")
    return next(bits for bits in DEPTHS if largest < 2**bits)


def scale_of_numbers(low: int, high: int, *, signed_bytes: bool = False) -> Scale:
    """The scale of whole numbers between ``low`` and ``high``. ``signed_bytes``: they are stored as int8, of which a negative
    one can only mean a shift by 128."""
    if low < 0 and signed_bytes:
        return Scale(-128, 127)
    if low < 0:
        raise NoScale("; pixels are not negative, and nothing tells which value is black")
    return Scale(0, 2 ** depth_of(high) - 1)


def scale_of_floats(low: float, high: float, *, whole: bool = False) -> Scale:
    """The scale of floats between ``low`` and ``high``: 0 to 1, −1 to 1, or 0 to 255, each with a little overshoot; ``whole``:
    they are whole numbers and are read as such beyond 0 to 1."""
    if not np.isfinite(low) or not np.isfinite(high):
        raise NoScale(", so some are no numbers")
    if low >= -OVERSHOOT and high <= 1 + OVERSHOOT:
        return Scale(0, 1, cut=low < 0 or high > 1)
    if -1 - OVERSHOOT <= low < 0 and high <= 1 + OVERSHOOT:
        return Scale(-1, 1, cut=low < -1 or high > 1)
    if low >= 0 and whole:
        return scale_of_numbers(0, int(high))
    if low >= -OVERSHOOT * 255 and LEAST_OF_255 <= high <= (1 + OVERSHOOT) * 255:
        return Scale(0, 255, cut=low < 0 or high > 255)
    if low >= -OVERSHOOT * high and high > (1 + OVERSHOOT) * 255:
        return Scale(0, scale_of_numbers(0, int(np.ceil(high))).high, cut=low < 0)
    if low < 0:
        raise NoScale("; standardised pixels have lost their scale: give them as they were before")
    raise NoScale("; floats run from 0 to 1, from −1 to 1, to 255 or to 65,535")
