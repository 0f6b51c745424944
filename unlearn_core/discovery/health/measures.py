"""What is measured of one image: how light, how sharp, how much is on it."""

from __future__ import annotations

from typing import Final

import numpy as np

MEASURES: Final = ("brightness", "contrast", "lightest", "darkest", "information", "blur")
"""What :func:`measure_grey` gives, in this order."""
BLUR_WIDTH = 11
"""Pixels of the filter by which the image is blurred once more, as in the paper."""
LEAST_SIDE = 24
"""Smaller images have too few pixels for the filter, so nothing is said of their sharpness."""


def measure_grey(grey: np.ndarray) -> np.ndarray:
    """float64 (6,), as :data:`MEASURES` names them, of uint8 (h, w).

    ``brightness`` and ``contrast``: mean and standard deviation, from 0 to 1. ``lightest`` and ``darkest``: the 99th and the
    1st percentile, from 0 to 1. ``information``: entropy of the 256 levels in bits. ``blur``: see :func:`blur_of`; NaN for
    an image below :data:`LEAST_SIDE`.
    """
    darkest, lightest = np.percentile(grey, (1, 99)) / 255
    share = np.bincount(grey.ravel(), minlength=256) / grey.size
    share = share[share > 0]
    information = float(-(share * np.log2(share)).sum())
    blur = blur_of(grey) if min(grey.shape) >= LEAST_SIDE else np.nan
    return np.array([grey.mean() / 255, grey.std() / 255, lightest, darkest, information, blur])


def blur_of(grey: np.ndarray) -> float:
    """How much of the difference between neighbours another blur leaves: 0 sharp to 1 blurred; 1 for an even image.

    Crete, Dolmiere, Ladret, Nicolas 2007, "The blur effect: perception and estimation with a new no-reference perceptual blur
    metric", doi:10.1117/12.702790: with D the absolute differences of neighbours along an axis, before and after a mean
    filter over BLUR_WIDTH pixels along it, (ΣD − Σ max(0, D − D_filtered)) / ΣD, the larger of the two axes.
    """
    told = [one for one in (_blur_along(grey.astype(np.float64)), _blur_along(grey.T.astype(np.float64))) if one is not None]
    return max(told, default=1.0)


def _blur_along(grey: np.ndarray) -> float | None:
    """The same along the second axis; None where nothing changes along it."""
    half = BLUR_WIDTH // 2
    padded = np.pad(grey, ((0, 0), (half + 1, half)), mode="edge").cumsum(1)
    filtered = (padded[:, BLUR_WIDTH:] - padded[:, :-BLUR_WIDTH]) / BLUR_WIDTH
    before, after = (np.abs(np.diff(one, axis=1)) for one in (grey, filtered))
    total = before.sum()
    if not total:
        return None
    return float(1 - np.maximum(before - after, 0).sum() / total)


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 (C, H, W) as uint8 (H, W), with the weights of ITU-R 601 for three channels."""
    if len(pixels) == 1:
        return np.asarray(pixels[0])
    weighed = np.tensordot(np.array([0.299, 0.587, 0.114]), pixels[:3].astype(np.float64), 1)
    return np.asarray(weighed.round().astype(np.uint8))


def saturation_of(pixels: np.ndarray) -> np.ndarray:
    """float64 (N,): mean over an image of (largest − smallest channel) / 255, from 0 for greys; uint8 (N, 3, H, W)."""
    flat = pixels.reshape(len(pixels), pixels.shape[1], -1)
    spread = flat.max(1).astype(np.int16) - flat.min(1)
    return np.asarray(spread.mean(1) / 255)
