"""The plane that boundaries are drawn on: that of 2-D data, or the one through three images.

A plane holds its own coordinates; every model is asked about the same inputs. On images one unit is the distance of two
images that differ in one pixel by its whole range, and inputs outside the triangle are extrapolated, not clipped, because
clipping would bend the plane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from unlearn_core.errors import UserError
from unlearn_core.results.reader import GROUPS, clean_of, groups_of, label_words, scenario_data
from unlearn_core.specs import Scenario
from unlearn_core.views.boundary.anchors import Anchor, Asked, anchors_of

NEAR = {"train": 60, "test": 30}
"""So many images next to the plane are shown on it."""

_MARGIN = 0.7
"""Half of a panel's side, relative to the triangle of its three images."""
_ROWS = 4096


@dataclass(frozen=True)
class InputPlane:
    """A flat piece of the input space. An input is ``origin + x · axes[0] + y · axes[1]``.

    ``origin`` (D,) and ``axes`` (2, D), float64, in units of the data (0–255 for images); ``x`` and ``y``: lowest and
    highest coordinate shown; ``shape``: of one input; ``anchors``: three on images, none on 2-D data.
    """

    origin: np.ndarray
    axes: np.ndarray
    x: tuple[float, float]
    y: tuple[float, float]
    shape: tuple[int, ...]
    anchors: tuple[Anchor, ...] = ()

    @property
    def is_image(self) -> bool:
        return bool(self.anchors)

    def cells(self, resolution: int) -> tuple[np.ndarray, np.ndarray]:
        """Centres of the cells along each axis, float64 (resolution,) each."""
        inner = (np.arange(resolution) + 0.5) / resolution
        return self.x[0] + inner * (self.x[1] - self.x[0]), self.y[0] + inner * (self.y[1] - self.y[0])

    def inputs(self, places: np.ndarray) -> np.ndarray:
        """The inputs at ``places`` (n, 2), float32 (n, *shape)."""
        return np.asarray(self.origin + places @ self.axes, dtype=np.float32).reshape(-1, *self.shape)

    def project(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates (n, 2) of the nearest places to ``inputs`` (n, *shape), and the distances (n,) to them."""
        rows, scale = inputs.reshape(len(inputs), -1), (self.axes**2).sum(1)
        places, distance = np.empty((len(rows), 2)), np.empty(len(rows))
        for start in range(0, len(rows), _ROWS):  # all of a large dataset as float64 would fill the memory
            part = slice(start, start + _ROWS)
            offset = rows[part].astype(float) - self.origin
            places[part] = offset @ self.axes.T / scale
            distance[part] = np.linalg.norm(offset - places[part] @ self.axes, axis=1) / np.sqrt(scale[0])
        return places, distance


def plane_of(scenario: Scenario, asked: Asked = (None, None, None)) -> InputPlane:
    """The whole plane of 2-D data, or the one through three images (see :func:`anchors.anchors_of`).

    Raises :class:`UserError` where the three images lie on one line.
    """
    corrupted = scenario_data(scenario).corrupted
    if not corrupted.train.is_image:
        shown = [corrupted.train.inputs.numpy(), corrupted.test.inputs.numpy()]
        low, high = np.min([s.min(0) for s in shown], axis=0), np.max([s.max(0) for s in shown], axis=0)
        margin = 0.06 * (high - low)
        (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
        return InputPlane(np.zeros(2), np.eye(2), (x0, x1), (y0, y1), (2,))
    anchors = anchors_of(scenario, asked)
    a, b, c = (np.asarray(anchor.inputs, float).ravel() for anchor in anchors)
    across = np.linalg.norm(b - a)
    if across < 1e-6:
        raise UserError("The first two images are the same, so there is no plane through them; choose another second image.")
    u = (b - a) / across
    upward = (c - a) - ((c - a) @ u) * u
    height = np.linalg.norm(upward)
    if height < 1e-6:
        raise UserError("The three images lie on one line, so there is no plane through them; choose another third image.")
    axes = 255 * np.stack([u, upward / height])
    places = np.array([[0, 0], [across, 0], [(c - a) @ u, height]]) / 255
    extent = np.ptp(places, axis=0)  # the triangle fills its panel, but for a margin; one that is very flat stays recognisable
    middle, half = (places.min(0) + places.max(0)) / 2, _MARGIN * np.maximum(extent, extent.max() / 3)
    (x0, y0), (x1, y1) = (middle - half).tolist(), (middle + half).tolist()
    placed = tuple(replace(anchor, place=(float(x), float(y))) for anchor, (x, y) in zip(anchors, places, strict=True))
    return InputPlane(a, axes, (x0, x1), (y0, y1), tuple(corrupted.train.shape), placed)


def points_of(scenario: Scenario, plane: InputPlane) -> pd.DataFrame:
    """Examples on the plane: all of 2-D data; of images those next to it, projected.

    Columns: split (train or test), index, x, y, group, given, clean, distance (to the plane, 0 on 2-D data).
    """
    corrupted = scenario_data(scenario).corrupted
    names = label_words(corrupted.train.class_names)
    groups = np.array(GROUPS, dtype=object)[groups_of(scenario)]
    parts = []
    for split, data in (("train", corrupted.train), ("test", corrupted.test)):
        given = data.labels.numpy()
        clean = clean_of(scenario) if split == "train" else given
        places, distance = plane.project(data.inputs.numpy())
        part = pd.DataFrame(
            {
                "split": split,
                "index": np.arange(len(data)),
                "x": places[:, 0],
                "y": places[:, 1],
                "group": groups if split == "train" else "clean",
                "given": names[given],
                "clean": names[clean],
                "distance": distance,
            }
        )
        parts.append(_nearby(part, plane, NEAR[split]) if plane.is_image else part)
    return pd.concat(parts, ignore_index=True)


def _nearby(part: pd.DataFrame, plane: InputPlane, limit: int) -> pd.DataFrame:
    inside = part["x"].between(*plane.x) & part["y"].between(*plane.y)
    return part[inside].nsmallest(limit, "distance").sort_index()
