"""The three images that span a plane: chosen by their training index, or by rules that make the plane worth looking at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from unlearn_core.corruption import CONFUSION, FOUND, KINDS, RANDOM, TRIGGER, UNKNOWN, apply_trigger
from unlearn_core.results.reader import CORRUPTED, GROUPS, clean_of, groups_of, label_words, scenario_data
from unlearn_core.specs import Scenario
from unlearn_core.views.craft.data import as_picture

Asked = tuple[int | None, int | None, int | None]
"""Training indices of the first, second and third image; None: by rule."""

_UNTOUCHED = ("clean", UNKNOWN, KINDS[RANDOM], KINDS[CONFUSION], KINDS[FOUND])
VERSIONS = {
    "before": "before corruption",
    "given": "as given",
    "triggered": "with the trigger",
}


@dataclass(frozen=True)
class Anchor:
    """One of the three images. ``inputs``: uint8 (C, H, W); ``version``: a key of VERSIONS; ``given`` and ``clean``: class
    names; ``group`` of the training example; ``place``: its coordinates on the plane."""

    letter: str
    index: int
    version: str
    inputs: np.ndarray
    given: str
    clean: str
    group: str
    kind: str
    place: tuple[float, float] = (0.0, 0.0)

    @property
    def triggered(self) -> bool:
        """Whether the image carries the trigger, or whatever another corruption than the dial puts on images."""
        return self.version == "triggered" or (self.version == "given" and self.kind not in _UNTOUCHED)

    @property
    def picture(self) -> np.ndarray:
        """uint8 (H, W) or (H, W, 3)."""
        return as_picture(self.inputs)


def anchors_of(scenario: Scenario, asked: Asked = (None, None, None)) -> tuple[Anchor, Anchor, Anchor]:
    """The three images of a plane. Indices beyond the training set are brought back into it.

    By rule: A is a corrupted example before its corruption, an undiscovered one if there is any. B is the same image
    with the trigger, or with what another corruption did to it; where images stay as they are it is its partner with the two
    labels swapped (confusion, other label noise), or the most similar image of A's own class (random labels). C is a typical
    image of the class that A was wrongly given.
    """
    data = _Data(scenario)
    size = len(data.given)
    wanted = [None if index is None else min(max(0, index), size - 1) for index in asked]
    first = wanted[0] if wanted[0] is not None else candidates(scenario)[0]
    second = data.anchor("B", *(data.partner(first) if wanted[1] is None else (wanted[1], "given")))
    third = wanted[2] if wanted[2] is not None else data.typical(data.rival(first), {first, second.index})
    return data.anchor("A", first, "before"), second, data.anchor("C", third, "given")


def candidates(scenario: Scenario) -> list[int]:
    """Corrupted examples that A may be, best first: of the kind there is most of, undiscovered, and really wrong. Where it
    is unknown what is corrupted: the forget set, and without one all examples."""
    data = _Data(scenario)
    truth = data.truth
    if not len(truth.corrupted):
        listed = np.flatnonzero(np.isin(data.groups, CORRUPTED))
        return [int(index) for index in (listed if len(listed) else range(len(data.given)))]
    kinds = np.bincount(truth.kinds.numpy(), minlength=len(KINDS))
    order = sorted(
        range(len(truth.corrupted)),
        key=lambda j: (
            -kinds[int(truth.kinds[j])],
            int(truth.kinds[j]),
            data.given[int(truth.corrupted[j])] == data.clean[int(truth.corrupted[j])],
            data.groups[int(truth.corrupted[j])] != GROUPS.index("undiscovered"),
            j,
        ),
    )
    return [int(truth.corrupted[j]) for j in order]


def following(scenario: Scenario, index: int) -> int:
    """The candidate after this one, for a look at another example; after the last comes the first."""
    ranked = candidates(scenario)
    return ranked[(ranked.index(index) + 1) % len(ranked)] if index in ranked else ranked[0]


class _Data:
    """The corrupted training set as arrays, with the rules."""

    def __init__(self, scenario: Scenario) -> None:
        from unlearn_core.datasets import load_dataset

        corrupted = scenario_data(scenario).corrupted
        self.scenario = scenario
        self.truth = corrupted.truth
        train = load_dataset(scenario.dataset, scenario.seed).train
        self.before, self.places = train.inputs, train.places
        self.after = corrupted.train.inputs
        self.names = corrupted.train.class_names
        self.given, self.clean = corrupted.train.labels.numpy(), clean_of(scenario)
        self.groups = groups_of(scenario)
        self.kinds = np.full(len(self.given), -1)
        self.kinds[self.truth.corrupted.numpy()] = self.truth.kinds.numpy()

    def anchor(self, letter: str, index: int, version: str) -> Anchor:
        source = self.after if version == "given" else self.before
        inputs = source[index : index + 1]
        if version == "triggered":
            places = None if self.places is None else self.places[index : index + 1]
            inputs = apply_trigger(inputs, self.scenario.corruption.trigger, None, places)
        return Anchor(
            letter,
            index,
            version,
            inputs[0].numpy(),
            self.names[self.given[index]],
            str(label_words(self.names)[self.clean[index]]),
            GROUPS[self.groups[index]],
            KINDS[self.kinds[index]] if self.kinds[index] >= 0 else "clean" if self.truth.known else UNKNOWN,
        )

    def partner(self, first: int) -> tuple[int, str]:
        """Index and version of B."""
        kind = self.kinds[first]
        if kind == TRIGGER or (kind < 0 and (self.kinds == TRIGGER).any()):
            return first, "triggered"
        if kind >= 0 and not torch.equal(self.before[first], self.after[first]):
            return first, "given"
        if kind not in (-1, RANDOM, FOUND):
            swapped = (self.kinds == kind) & (self.clean == self.given[first]) & (self.given == self.clean[first])
            if swapped.any():
                return self._nearest(first, swapped), "given"
        alike = (self.kinds != RANDOM) & (self.clean == self.clean[first]) & (self.given == self.clean)
        alike[first] = False
        return self._nearest(first, alike if alike.any() else np.arange(len(alike)) != first), "given"

    def rival(self, first: int) -> int:
        """The class of C: the wrong label that A was given, or for a clean A the one that corrupted examples are given."""
        given, clean, spec = int(self.given[first]), int(self.clean[first]), self.scenario.corruption
        if given != clean or not self.truth.known:
            return given
        for other in (spec.target_class if (self.kinds == TRIGGER).any() else spec.class_b, spec.class_a, spec.class_b):
            if other != clean and other < len(self.names):
                return other
        return (clean + 1) % len(self.names)

    def typical(self, label: int, without: set[int]) -> int:
        """The uncorrupted example nearest to the mean of its class."""
        labels = self.clean if self.truth.known else self.given
        members = np.flatnonzero(~np.isin(self.groups, CORRUPTED) & (labels == label))
        members = np.array([index for index in members if index not in without])
        if not len(members):
            members = np.array([index for index in range(len(self.given)) if index not in without])
        inputs = self.before[members].double().flatten(1).numpy()
        return int(members[np.argmin(np.linalg.norm(inputs - inputs.mean(0), axis=1))])

    def _nearest(self, to: int, among: np.ndarray) -> int:
        members = np.flatnonzero(among)
        inputs = self.after[members].double().flatten(1).numpy()
        target = self.before[to].double().flatten().numpy()
        distance = np.linalg.norm(inputs - target, axis=1)
        distance[distance < 1e-6] = np.inf  # the same image twice spans no plane
        return int(members[np.argmin(distance)])
