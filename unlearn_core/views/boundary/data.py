"""What a model says all over a plane of inputs, after its last round and after every one."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from unlearn_core.canonical import content_key
from unlearn_core.results.reader import Results, model_of, rounds_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.boundary.anchors import Anchor
from unlearn_core.views.boundary.plane import InputPlane

if TYPE_CHECKING:
    import torch

REVISION = 2
"""Part of every key of stored frames: to be raised when the same rounds are to be computed differently."""

RESOLUTION = 100
FRAME_RESOLUTION = 80
"""Cells along each side of a single picture, and of the many frames of a timeline."""

_CELLS = 512
_SLOW_PIXELS, _SLOW_MODELS = 1000, ("torchvision", "resnet18", "vit")
Step = Callable[[int, int], None]


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


def slow(scenario: Scenario) -> bool:
    """Whether a network takes longer for all cells of a plane than a page should wait."""
    return scenario.model.name in _SLOW_MODELS or math.prod(scenario_data(scenario).corrupted.train.shape) > _SLOW_PIXELS


def map_decisions(
    store: Results,
    scenario: Scenario,
    spec: MethodSpec | None,
    plane: InputPlane,
    resolution: int = RESOLUTION,
    round: int | None = None,
    step: Step = lambda done, total: None,
) -> DecisionMap:
    """What a stored model (``spec`` None: the original) says over the plane. Raises LookupError for what is not stored."""
    return map_model(model_of(store, scenario, spec, round), scenario, plane, resolution, step)


def map_model(
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
        maps = [map_decisions(kept, scenario, s, plane, resolution) for s in (None, spec)]
        rounds = (0, 1)
    else:
        maps = []
        for k, round in enumerate(rounds):
            step(k, len(rounds))
            maps.append(map_decisions(kept, scenario, spec, plane, resolution, round))
    return Frames(tuple(rounds), np.stack([one.winners for one in maps]), np.stack([one.confidence for one in maps]))


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


def healed(store: Results, scenario: Scenario, spec: MethodSpec | None) -> float | None:
    """Share of the corrupted training examples that a stored model (None: the original) predicts right; None where it is
    unknown which they are.

    Raises LookupError where its outputs are not stored.
    """
    truth = scenario_data(scenario).corrupted.truth
    if not len(truth.corrupted):
        return None
    key = scenario.original_key if spec is None else scenario.run_key(spec)
    logits = store.arrays(key, "logits")["train"][truth.corrupted.numpy()]
    return float((logits.argmax(1) == truth.clean_labels.numpy()[truth.corrupted.numpy()]).mean())


def memorised(store: Results, scenario: Scenario) -> float | None:
    """Share of the corrupted training examples whose given label the stored original predicts; None where it is unknown which
    they are, or its outputs are not stored."""
    corrupted = scenario_data(scenario).corrupted
    rows = corrupted.truth.corrupted.numpy()
    if not len(rows):
        return None
    try:
        predicted = store.arrays(scenario.original_key, "logits")["train"][rows].argmax(1)
    except LookupError:
        return None
    return float((predicted == corrupted.train.labels.numpy()[rows]).mean())


def prediction_at(anchors: Sequence[Anchor], plane: InputPlane, found: DecisionMap) -> list[tuple[int, float]]:
    """The class and its probability in the cell of each anchor."""
    resolution = len(found.winners)
    predictions: list[tuple[int, float]] = []
    for anchor in anchors:
        cell = [
            min(resolution - 1, max(0, int((value - low) / (high - low) * resolution)))
            for value, (low, high) in zip(anchor.place, (plane.x, plane.y), strict=True)
        ]
        predictions.append((int(found.winners[cell[1], cell[0]]), float(found.confidence[cell[1], cell[0]])))
    return predictions
