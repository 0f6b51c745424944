"""What a corruption looks like before anything is trained: examples before and after, and counts that add up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from unlearn_core.corruption import DIAL, FOUND, KINDS, TRIGGER, UNKNOWN, Corrupted, corrupt, place_seen, weights
from unlearn_core.datasets import load_dataset
from unlearn_core.specs import Scenario

STRONGER, MID_GREY = 5, 128
"""How a change of an image is drawn, so that one which eyes hardly notice is seen."""
_MOST_FRAMED = 0.5
"""A change of more of the picture than this fills it, and is not framed."""


@dataclass(frozen=True)
class PreviewExample:
    """One corrupted training example: ``before`` and ``after`` are uint8 (H, W) or (H, W, 3), or float (2,) for points."""

    index: int
    kind: str
    before: np.ndarray
    after: np.ndarray
    given: str
    clean: str
    discovered: bool

    @property
    def change(self) -> np.ndarray | None:
        """What was done to the image, :data:`STRONGER` times as strong and around mid-grey, uint8 of the same shape; None where
        nothing was, and for points."""
        if self.before.dtype != np.uint8 or np.array_equal(self.before, self.after):
            return None
        difference = self.after.astype(np.int16) - self.before.astype(np.int16)
        return (MID_GREY + STRONGER * difference).clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Preview:
    """``counts``: one row per kind with columns kind, discovered, undiscovered, total. ``points`` only for 2-D data:
    columns index, x, y, given, clean, group (one of GROUPS), kind. ``known``: whether it is known what is corrupted; where it
    is not, the examples are the forget set, ``discovered`` its size, and nothing is counted beside it."""

    examples: list[PreviewExample]
    counts: pd.DataFrame
    mixture: dict[str, float]
    train_size: int
    corrupted: int
    discovered: int
    points: pd.DataFrame | None
    known: bool = True
    rightly_labelled: int = 0
    """Corrupted examples whose given label is their clean one, such as a trigger on an image of the target class."""


@dataclass(frozen=True)
class Box:
    """A part of an image, in shares of its width and height from the top left corner."""

    left: float
    top: float
    width: float
    height: float


def triggers(scenario: Scenario) -> dict[int, Box]:
    """Where the trigger is on the training images that carry one, by index; empty for points, for observed labels, and where
    it fills the picture. Where another corruption takes the dial's place: where it changed an image.

    This is the truth: for pages that show it.
    """
    other = bool(scenario.corruption.kind)
    if not other and mark(scenario) is None:
        return {}
    split = load_dataset(scenario.dataset, scenario.seed)
    result = corrupt(split, scenario.dataset, scenario.corruption, scenario.seed)
    truth = result.truth
    if other:
        hit = truth.corrupted.tolist() if split.train.is_image else []
        boxes = {index: _changed(split.train.inputs[index].numpy(), result.train.inputs[index].numpy()) for index in hit}
    else:
        boxes = {index: mark(scenario, index) for index in truth.corrupted[truth.kinds == TRIGGER].tolist()}
    return {index: box for index, box in boxes.items() if box is not None}


def _changed(before: np.ndarray, after: np.ndarray) -> Box | None:
    """The part of an image (C, H, W) that differs; None where nothing does, or most of it."""
    rows, columns = np.nonzero((before != after).any(0))
    if not len(rows):
        return None
    height, width = before.shape[-2:]
    top, left = rows.min() / height, columns.min() / width
    box = Box(float(left), float(top), float((columns.max() + 1) / width - left), float((rows.max() + 1) / height - top))
    return box if box.width * box.height <= _MOST_FRAMED else None


def mark(scenario: Scenario, index: int = 0) -> Box | None:
    """Where a trigger is on this training image; None for points, for observed labels, which carry no mark, and for a trigger
    that fills the picture. Where another corruption takes the dial's place: see :func:`triggers`."""
    if scenario.corruption.kind:
        return triggers(scenario).get(index)
    train = load_dataset(scenario.dataset, scenario.seed).train
    if scenario.corruption.found or not train.is_image:
        return None
    place = None if train.places is None else train.places[index]
    seen = place_seen(scenario.corruption.trigger, train.shape[-2], train.shape[-1], place)
    return None if seen is None else Box(*seen)


def preview(scenario: Scenario, limit: int = 24) -> Preview:
    """The corruption of ``scenario`` as a picture shows it; ``limit`` examples, kinds in proportion, discovered and not."""
    split = load_dataset(scenario.dataset, scenario.seed)
    result = corrupt(split, scenario.dataset, scenario.corruption, scenario.seed)
    truth, everything = result.truth, truth_set(result, scenario)
    forget = set(truth.forget_of(scenario).tolist()) & set(everything)
    order, kinds = everything, truth.kinds.tolist() if truth.known else [FOUND] * len(everything)
    found = np.array([index in forget for index in order])
    rows = [
        {
            "kind": name,
            "discovered": int(sum(f for f, kind in zip(found, kinds, strict=True) if kind == k)),
            "undiscovered": int(sum(not f for f, kind in zip(found, kinds, strict=True) if kind == k)),
        }
        for k, name in enumerate(KINDS)
        if k in ((FOUND,) if scenario.corruption.found else set(kinds) if scenario.corruption.kind else range(len(DIAL)))
    ]
    counts = pd.DataFrame(rows)
    counts["total"] = counts["discovered"] + counts["undiscovered"]
    names = result.train.class_names
    clean = truth.right_labels(scenario, names)
    words = [*names, UNKNOWN]  # -1, an unknown label, is the last
    examples = [
        PreviewExample(
            index=order[j],
            kind=KINDS[kinds[j]],
            before=as_picture(split.train.inputs[order[j]].numpy()),
            after=as_picture(result.train.inputs[order[j]].numpy()),
            given=names[int(result.train.labels[order[j]])],
            clean=words[int(clean[order[j]])],
            discovered=bool(found[j]),
        )
        for j in _spread(len(order), int(found.sum()), limit)
    ]
    points = None if result.train.is_image else _points(result, forget)
    dial = not scenario.corruption.found and not scenario.corruption.kind
    mixture = dict(zip(DIAL, weights(scenario.corruption.regularity), strict=True)) if dial else {}
    chosen = truth.corrupted
    right = int((truth.clean_labels[chosen] == result.train.labels[chosen]).sum()) if truth.known else 0
    return Preview(examples, counts, mixture, len(result.train), len(order), len(forget), points, truth.known, right)


def truth_set(result: Corrupted, scenario: Scenario) -> list[int]:
    """The corrupted examples, or where they are unknown those of the forget set."""
    return [int(index) for index in (result.truth.corrupted if result.truth.known else result.truth.forget_of(scenario))]


def _spread(corrupted: int, discovered: int, limit: int) -> list[int]:
    """Positions in discovery order: half from the discovered, half from the rest, where there are enough of both."""
    half = limit // 2
    first = min(discovered, max(half, limit - (corrupted - discovered)))
    return [*range(first), *range(discovered, min(corrupted, discovered + limit - first))]


def as_picture(x: np.ndarray) -> np.ndarray:
    """One input (C, H, W) as a picture (H, W) or (H, W, 3); a point (2,) as it is."""
    if x.ndim == 1:
        return x
    return x[0] if x.shape[0] == 1 else np.moveaxis(x, 0, -1)


def _points(result: Corrupted, forget: set[int]) -> pd.DataFrame:
    truth, names = result.truth, result.train.class_names
    words = [*names, UNKNOWN]
    kind = np.full(len(result.train), "clean" if truth.known else UNKNOWN, dtype=object)
    kind[truth.corrupted.numpy()] = [KINDS[k] for k in truth.kinds.tolist()]
    corrupted, others = set(truth.corrupted.tolist()), "clean" if truth.known else "unknown"
    group = ["discovered" if i in forget else "undiscovered" if i in corrupted else others for i in range(len(result.train))]
    x = result.train.inputs.numpy()
    return pd.DataFrame(
        {
            "index": np.arange(len(x)),
            "x": x[:, 0],
            "y": x[:, 1],
            "given": [names[k] for k in result.train.labels.tolist()],
            "clean": [words[k] for k in truth.clean_labels.tolist()],
            "group": group,
            "kind": kind,
        }
    )
