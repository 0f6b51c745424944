"""What a grey patch that slides over an image does to a model's belief in its given label, as it is stored and read.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (arXiv:1311.2901), section 4.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.results.reader import Results
from unlearn_core.specs import MethodSpec, Scenario

REVISION = 1
PARTS = 6
"""The image's shorter side over the patch's."""
SMALLEST = 2
"""The patch's side at least, in pixels."""
THIRDS = (("top", "middle", "bottom"), ("left", "centre", "right"))


@dataclass(frozen=True)
class Occlusion:
    """``base``: the probability of the given label on the whole image. ``rows`` (R,) and ``columns`` (S,): where a patch of
    ``side`` pixels begins, int64 pixels from the top left. ``covered``: float64 (R, S), the same probability with it there."""

    base: float
    rows: np.ndarray
    columns: np.ndarray
    side: int
    covered: np.ndarray

    @property
    def fall(self) -> np.ndarray:
        """By how much the probability falls under each patch, float64 (R, S) in [-1, 1]; below 0 where it rises."""
        return np.asarray(self.base - self.covered)

    @property
    def peak(self) -> tuple[int, int, float]:
        """Where the patch begins that costs most (row, column, in pixels), and by how much the probability falls."""
        row, column = np.unravel_index(int(self.fall.argmax()), self.fall.shape)
        return int(self.rows[row]), int(self.columns[column]), float(self.fall[row, column])


def occlusion_key(scenario: Scenario, spec: MethodSpec | None, index: int) -> str:
    """Key of one training image's map by the original (``spec`` None) or by the model after a run."""
    return content_key("occlusion", REVISION, scenario.original_key if spec is None else scenario.run_key(spec), index)


def patches(height: int, width: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Rows (R,) and columns (S,) where the patch begins, and its side, in pixels: a sixth of the shorter side of the image and
    at least :data:`SMALLEST`, moved by half of it; the last one ends at the edge, where triggers often are."""
    side = min(max(SMALLEST, math.ceil(min(height, width) / PARTS)), height, width)
    stride = max(1, side // 2)
    rows, columns = (np.unique([*range(0, length - side, stride), length - side]) for length in (height, width))
    return rows, columns, side


def read_occlusion(store: Results, key: str) -> Occlusion:
    """A stored map. Raises LookupError where it is not there."""
    record = store.get(key)
    if record is None:
        raise LookupError(f"no occlusion map is stored under {key}")
    found = record.payload
    rows, columns = (np.asarray(found[name], np.int64) for name in ("rows", "columns"))
    return Occlusion(float(found["base"]), rows, columns, int(found["side"]), np.asarray(found["covered"], float))


def place_words(found: Occlusion, height: int, width: int) -> str:
    """Where the peak lies, in words: "top left", "centre" or "bottom right"."""
    row, column, _ = found.peak
    down, across = (
        words[min(2, int(3 * (begin + found.side / 2) / length))]
        for words, begin, length in zip(THIRDS, (row, column), (height, width), strict=True)
    )
    return "centre" if (down, across) == ("middle", "centre") else f"{down} {across}"
