"""Where a model draws the line between classes: on 2-D data themselves, or on the plane through three images.

A plane holds its own coordinates; every model is asked about the same inputs. On images one unit is the distance of two
images that differ in one pixel by its whole range, and inputs outside the triangle are extrapolated, not clipped, because
clipping would bend the plane.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from unlearn_core.errors import UserError
from unlearn_core.results.reader import GROUPS, Results, clean_of, groups_of, label_words, model_of, rounds_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario, content_key
from unlearn_core.views.boundary.anchors import Anchor, Asked, anchors_of

if TYPE_CHECKING:
    import torch

REVISION = 2
"""Part of every key of stored frames: to be raised when the same rounds are to be computed differently."""

RESOLUTION = 100
FRAME_RESOLUTION = 80
"""Cells along each side of a single picture, and of the many frames of a timeline."""

NEAR = {"train": 60, "test": 30}
"""So many images next to the plane are shown on it."""

_MARGIN = 0.7
"""Half of a panel's side, relative to the triangle of its three images."""
_CELLS, _ROWS = 512, 4096
_SLOW_PIXELS, _SLOW_MODELS = 1000, ("torchvision", "resnet18", "vit")
Step = Callable[[int, int], None]


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
        return (self.origin + places @ self.axes).astype(np.float32).reshape(-1, *self.shape)

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


@dataclass(frozen=True)
class DecisionMap:
    """What a model says over a plane, rows from the lowest y: ``winners`` int16 (R, R), the most probable class;
    ``confidence`` float32 (R, R), its probability."""

    winners: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class Frames:
    """A model over its recorded rounds; the first frame is round 0, the original, before anything was done.

    ``rounds``: (F,), ascending; ``winners`` int16 and ``confidence`` float32, both (F, R, R).
    """

    rounds: tuple[int, ...]
    winners: np.ndarray
    confidence: np.ndarray

    def __len__(self) -> int:
        return len(self.rounds)

    def at(self, frame: int) -> DecisionMap:
        return DecisionMap(self.winners[frame], self.confidence[frame])


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


def slow(scenario: Scenario) -> bool:
    """Whether a network takes longer for all cells of a plane than a page should wait."""
    return scenario.model.name in _SLOW_MODELS or math.prod(scenario_data(scenario).corrupted.train.shape) > _SLOW_PIXELS


def field_of(
    store: Results,
    scenario: Scenario,
    spec: MethodSpec | None,
    plane: InputPlane,
    resolution: int = RESOLUTION,
    round: int | None = None,
    step: Step = lambda done, total: None,
) -> DecisionMap:
    """What a stored model (``spec`` None: the original) says over the plane. Raises LookupError for what is not stored."""
    return field(model_of(store, scenario, spec, round), scenario, plane, resolution, step)


def field(
    model: torch.nn.Module,
    scenario: Scenario,
    plane: InputPlane,
    resolution: int = RESOLUTION,
    step: Step = lambda done, total: None,
) -> DecisionMap:
    """What ``model`` says over the plane; the same on every call, because one thread adds up in one order."""
    import torch

    from unlearn_core.training import deterministic, predict

    data = scenario_data(scenario).train
    x, y = plane.cells(resolution)
    places = np.stack([grid.ravel() for grid in np.meshgrid(x, y)], axis=1)
    pieces = []
    with deterministic():
        for start in range(0, len(places), _CELLS):
            step(start, len(places))
            inputs = torch.from_numpy(plane.inputs(places[start : start + _CELLS]))
            cells = replace(data, inputs=inputs, labels=torch.zeros(len(inputs), dtype=torch.long), augmentation=None)
            top = predict(model, cells).softmax(1).max(1)
            pieces.append((top.indices.to(torch.int16).numpy(), top.values.numpy()))
    winners, confidence = (np.concatenate(part).reshape(resolution, resolution) for part in zip(*pieces, strict=True))
    return DecisionMap(winners, confidence)


def frames_key(scenario: Scenario, spec: MethodSpec, plane: InputPlane, resolution: int = FRAME_RESOLUTION) -> str:
    """Key of the stored frames of a run on this plane."""
    anchors = [(anchor.index, anchor.version) for anchor in plane.anchors]
    return content_key("boundary", REVISION, scenario.run_key(spec), anchors, resolution)


def frames_of(
    store: Results,
    scenario: Scenario,
    spec: MethodSpec,
    plane: InputPlane,
    resolution: int = FRAME_RESOLUTION,
    step: Step = lambda done, total: None,
) -> Frames:
    """The boundary of every recorded round of a run, computed. Raises LookupError where the run is not stored."""
    kept = _Kept(store)
    rounds = (0, *rounds_of(kept, scenario, spec)) if kept.get(scenario.run_key(spec)) else (0,)
    if len(rounds) == 1:  # the rounds were too large to keep: what there is are the beginning and the end
        fields = [field_of(kept, scenario, s, plane, resolution) for s in (None, spec)]
        rounds = (0, 1)
    else:
        fields = []
        for k, round in enumerate(rounds):
            step(k, len(rounds))
            fields.append(field_of(kept, scenario, spec, plane, resolution, round))
    return Frames(tuple(rounds), np.stack([f.winners for f in fields]), np.stack([f.confidence for f in fields]))


def stored_frames(
    store: Results, scenario: Scenario, spec: MethodSpec, plane: InputPlane, resolution: int = FRAME_RESOLUTION
) -> Frames | None:
    """The frames that the store has, or None."""
    try:
        found = store.arrays(frames_key(scenario, spec, plane, resolution), "frames")
    except LookupError:
        return None
    return Frames(tuple(int(r) for r in found["rounds"]), found["winners"], found["confidence"])


class _Kept:
    """A store whose arrays are read once: all rounds of a run lie in one file."""

    def __init__(self, store: Results) -> None:
        self.get, self.has, self.find, self.put = store.get, store.has, store.find, store.put
        self.runs = store.runs
        self.arrays: Callable[[str, str], dict[str, np.ndarray]] = functools.cache(store.arrays)


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


def healed(store: Results, scenario: Scenario, spec: MethodSpec | None) -> float | None:
    """Share of the corrupted training examples that a stored model (None: the original) predicts right; None where nobody
    knows which they are.

    Raises LookupError where its outputs are not stored.
    """
    truth = scenario_data(scenario).corrupted.truth
    if not len(truth.corrupted):
        return None
    key = scenario.original_key if spec is None else scenario.run_key(spec)
    logits = store.arrays(key, "logits")["train"][truth.corrupted.numpy()]
    return float((logits.argmax(1) == truth.clean_labels.numpy()[truth.corrupted.numpy()]).mean())


def memorised(store: Results, scenario: Scenario) -> float | None:
    """Share of the corrupted training examples whose given label the stored original predicts; None where nobody knows which
    they are, or its outputs are not stored."""
    corrupted = scenario_data(scenario).corrupted
    rows = corrupted.truth.corrupted.numpy()
    if not len(rows):
        return None
    try:
        said = store.arrays(scenario.original_key, "logits")["train"][rows].argmax(1)
    except LookupError:
        return None
    return float((said == corrupted.train.labels.numpy()[rows]).mean())


def prediction_at(anchors: Sequence[Anchor], plane: InputPlane, found: DecisionMap) -> list[tuple[int, float]]:
    """The class and its probability in the cell of each anchor."""
    resolution = len(found.winners)
    said: list[tuple[int, float]] = []
    for anchor in anchors:
        cell = [
            min(resolution - 1, max(0, int((value - low) / (high - low) * resolution)))
            for value, (low, high) in zip(anchor.place, (plane.x, plane.y), strict=True)
        ]
        said.append((int(found.winners[cell[1], cell[0]]), float(found.confidence[cell[1], cell[0]])))
    return said
