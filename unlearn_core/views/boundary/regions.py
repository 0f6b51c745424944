"""Regions of classes as colours: one byte per cell for class and confidence, muted fills, and where a region's name goes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FILLS = (
    "#DDCB85", "#A196CC", "#BFA084", "#9FB0BA", "#C3C88F", "#7F7299", "#C9D0D4", "#D9B190", "#6F7E88", "#CBB6CF",
)  # fmt: skip
"""Muted colours of classes by position, none near the strong colour of a group; names on the regions tell repeats apart."""

INK = "#1F2730"
LINE = "#5B626E"
PALE = (247, 246, 243)
LEVELS = 14
"""Steps from unsure to sure. Every step of up to eighteen classes fits into one byte, which keeps timelines small."""

_EDGE = 255
MAX_COLORS = _EDGE // LEVELS


def class_colors(winners: Sequence[np.ndarray], classes: int) -> np.ndarray:
    """The place of each class in the colour scale, int (classes,).

    Classes that appear come first, because a byte has room for only so many; what is beyond shares the last place.
    """
    seen = np.unique(np.concatenate([np.unique(part) for part in winners]))
    order = np.concatenate([seen, np.setdiff1d(np.arange(classes), seen)])
    colors = np.empty(classes, dtype=int)
    colors[order] = np.minimum(np.arange(classes), MAX_COLORS - 1)
    return colors


def color_scale(colors: np.ndarray) -> list[list[float | str]]:
    """Plotly's colour scale: one flat step per byte."""
    shades = [LINE] * 256
    for label in range(len(colors) - 1, -1, -1):
        for level in range(LEVELS):
            shades[colors[label] * LEVELS + level] = _mixed(fill(label), 0.15 + 0.85 * level / (LEVELS - 1))
    return [[(k + end) / 256, shade] for k, shade in enumerate(shades) for end in (0, 1)]


def codes(winners: np.ndarray, confidence: np.ndarray, colors: np.ndarray, shading: str) -> np.ndarray:
    """Class and level of confidence in one byte, with the lines between classes, uint8 (R, R).

    ``colors``: of :func:`class_colors`.
    """
    floor = 1 / max(2, len(colors))
    level = np.full(winners.shape, LEVELS - 1)
    if shading == "soft":
        level = np.clip((confidence - floor) / (1 - floor) * LEVELS, 0, LEVELS - 1).astype(int)
    found: np.ndarray = (colors[winners] * LEVELS + level).astype(np.uint8)
    edge = np.zeros(winners.shape, dtype=bool)
    edge[:-1] |= winners[:-1] != winners[1:]
    edge[:, :-1] |= winners[:, :-1] != winners[:, 1:]
    found[edge] = _EDGE
    return found


def fill(label: int) -> str:
    """The muted colour of a class: strong colours are kept for the groups of examples."""
    return FILLS[label % len(FILLS)]


def label_positions(
    winners: np.ndarray, taken: Sequence[tuple[int, int]] = (), least: float = 0.02
) -> list[tuple[int, int, int]]:
    """(class, row, column) of a cell deep inside the widest piece of each class that has ``least`` of the plane.

    Classes are worn down from their borders and from what is drawn at the ``taken`` (row, column); the cell that lasts longest
    carries the name. Every second cell is looked at.
    """
    coarse, found = winners[::2, ::2], []
    across = np.arange(len(coarse))
    free = np.ones(coarse.shape, dtype=bool)
    for row, column in taken:
        free &= np.maximum(abs(across[:, None] - row / 2), abs(across[None] - column / 2)) > 0.06 * len(coarse)
    for label in np.unique(coarse):
        mask = coarse == label
        if mask.mean() < least:
            continue
        mask = mask & free if (mask & free).any() else mask
        while True:
            padded = np.pad(mask, 1)
            worn = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
            if not worn.any():
                break
            mask = worn
        rows, columns = np.nonzero(mask)
        nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
        found.append((int(label), 2 * int(rows[nearest]), 2 * int(columns[nearest])))
    return found


def _mixed(color: str, share: float) -> str:
    """``color`` over the palest ground, with this share of the colour."""
    parts = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    red, green, blue = (round(share * part + (1 - share) * pale) for part, pale in zip(parts, PALE, strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"
