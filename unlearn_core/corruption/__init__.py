"""The regularity dial and the discovery rate. Ground truth (clean labels, who is corrupted) is made here.

The dial (design §3, after the three tasks of arXiv:2505.17730): each corrupted example is a random label, an interclass
confusion or a trigger with weights ``max(0, 1-2r)``, ``1-|2r-1|`` and ``max(0, 2r-1)``. Every draw is made once per slot
and seed, before the dial is read, so turning the dial moves as few examples as possible and discovery only ever adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from unlearn_core.datasets import LabelledData, Split
from unlearn_core.datasets import registry as datasets
from unlearn_core.errors import UserError
from unlearn_core.specs import CorruptionSpec, DatasetSpec, Scenario, TriggerSpec

RANDOM, CONFUSION, TRIGGER, FOUND = 0, 1, 2, 3
KINDS: Final = ("random label", "confusion", "trigger", "as found")
DIAL: Final = KINDS[:3]
"""The kinds that the dial makes; what data bring along is of the last kind."""
UNKNOWN: Final = "not known"
"""The name of a label that nobody knows."""
UNKNOWN_TRUTH: Final = (
    "With labels as they come nobody knows which are wrong, so there is no discovery rate: give a forget list, or a table with "
    "a clean_label for every training image."
)
NOTHING_WRONG: Final = "Every training label equals the clean label that the data give, so there is nothing to discover."
MAX_CONFUSED: Final = 0.4
"""Confusion may take this share of either class: beyond, the wrong label would soon be the majority's."""


@dataclass(frozen=True)
class GroundTruth:
    """What only evaluation and oracles may see.

    ``corrupted``: int64 (n,), training indices in order of discovery. ``kinds``: int8 (n,), one of RANDOM, CONFUSION,
    TRIGGER, FOUND. ``clean_labels``: int64 (N,), the true label of every training example, -1 where nobody knows it.
    ``known``: whether C is known at all. Where it is not, ``corrupted`` is empty, and that says nothing.
    """

    corrupted: torch.Tensor
    kinds: torch.Tensor
    clean_labels: torch.Tensor
    known: bool = True

    def forget_indices(self, rate: float) -> torch.Tensor:
        """The discovered part of C at this discovery rate, sorted; nested: F(0.1) ⊂ F(0.2) ⊂ …"""
        return self.corrupted[: discovered_count(len(self.corrupted), rate)].sort().values

    def forget_of(self, scenario: Scenario) -> torch.Tensor:
        """The forget set of ``scenario``, sorted: part of C, or an edited set, which may hold clean examples."""
        if scenario.forget is None:
            if scenario.discovery and not len(self.corrupted):
                raise UserError(NOTHING_WRONG if self.known else UNKNOWN_TRUTH)
            return self.forget_indices(scenario.discovery)
        check_forget(scenario.forget, len(self.clean_labels))
        return torch.tensor(scenario.forget, dtype=torch.int64)

    def right_labels(self, scenario: Scenario, class_names: Sequence[str]) -> torch.Tensor:
        """int64 (N,): the clean labels, with those put in that somebody gave for examples of an edited forget set; -1 where
        nobody knows the right label."""
        labels, position = self.clean_labels, {name: k for k, name in enumerate(class_names)}
        given = [(index, position[name]) for index, name in scenario.relabelled if name in position]
        if self.known or not given:
            return labels
        labels = labels.clone()
        labels[torch.tensor([index for index, _ in given])] = torch.tensor([label for _, label in given])
        return labels


@dataclass(frozen=True)
class Corrupted:
    """A corrupted dataset: training data as given, clean and fully triggered test data, and the ground truth."""

    train: LabelledData
    test: LabelledData
    triggered_test: LabelledData
    truth: GroundTruth


def discovered_count(corrupted: int, rate: float) -> int:
    """How many of ``corrupted`` examples are known at ``rate``; ``UserError`` if a rate above 0 gives none."""
    count = int(rate * corrupted + 0.5)
    if rate > 0 and count == 0:
        raise UserError(
            f"A discovery rate of {rate:g} finds none of the {corrupted} corrupted examples; "
            f"use at least {0.5 / corrupted:.2g}."
        )
    return count


def check_forget(forget: Sequence[int], train_size: int) -> None:
    """Raise :class:`UserError` where an edited forget set (ascending indices) does not fit the training set."""
    if forget[-1] >= train_size:
        raise UserError(f"There is no training example {forget[-1]}: the training set has {train_size:,}, numbered from 0.")
    if len(forget) > train_size // 2:
        raise UserError(
            f"{len(forget):,} examples are too many for a forget set: at most half of the {train_size:,} training examples."
        )


def corrupted_count(amount: float, train_size: int) -> int:
    """``amount`` (count or fraction) as a number of training examples; ``UserError`` if that cannot be."""
    count = amount if isinstance(amount, int) else int(amount * train_size + 0.5)
    if count < 1:
        raise UserError(f"An amount of {amount:g} corrupts none of the {train_size} training examples.")
    if count > (train_size + 1) // 2:
        raise UserError(f"{count} corrupted examples are too many: at most half of the {train_size} training examples.")
    return count


def weights(regularity: float) -> tuple[float, float, float]:
    """Shares of random labels, confusion and triggers at this position of the dial (design §3)."""
    return max(0.0, 1 - 2 * regularity), 1 - abs(2 * regularity - 1), max(0.0, 2 * regularity - 1)


def corrupt(data: Split, dataset: DatasetSpec, spec: CorruptionSpec, seed: int) -> Corrupted:
    """Corrupt the training half of ``data``; equal arguments give equal results.

    Raises :class:`UserError` when a class does not exist, the amount does not fit, or confusion would take more than
    ``MAX_CONFUSED`` of either class. With ``spec.found`` the data stay as they are.
    """
    if spec.found:
        return _as_found(data, seed)
    train = data.train
    _check_classes(spec, train.class_names)
    displacement = datasets.get(dataset.name).displacement
    rng = np.random.default_rng([20_250_523, seed])
    slots = _draw_slots(train, spec, corrupted_count(spec.amount, len(train)), rng)
    kinds = slots.kinds(spec.regularity)
    _check_confusion(spec, slots, kinds)
    chosen = np.where(kinds == CONFUSION, slots.confusable, slots.anywhere)

    clean = train.labels.numpy()
    labels = clean.copy()
    labels[chosen] = _wrong_labels(clean[chosen], kinds, slots.wrong, spec, train.classes)
    inputs = train.inputs.clone()
    hit = torch.from_numpy(chosen[kinds == TRIGGER])
    inputs[hit] = apply_trigger(train.inputs[hit], spec.trigger, displacement)

    order = torch.from_numpy(slots.discovery)
    truth = GroundTruth(
        torch.from_numpy(chosen)[order], torch.from_numpy(kinds.astype(np.int8))[order], torch.from_numpy(clean.copy())
    )
    triggered = LabelledData(apply_trigger(data.test.inputs, spec.trigger, displacement), data.test.labels, train.class_names)
    return Corrupted(LabelledData(inputs, torch.from_numpy(labels), train.class_names), data.test, triggered, truth)


def _as_found(data: Split, seed: int) -> Corrupted:
    """The data untouched. C is known only where the true label of every training example is: wherever it is not the given one.

    A few clean labels among many unknown ones are no sample of C, so C then counts as unknown.
    """
    given, train = data.train.labels, data.train
    clean = torch.full_like(given, -1) if data.clean is None else data.clean
    known = bool((clean >= 0).all())
    wrong = (clean != given).nonzero()[:, 0] if known else torch.empty(0, dtype=torch.int64)
    order = np.random.default_rng([20_261_121, seed]).permutation(len(wrong))
    truth = GroundTruth(
        wrong[torch.from_numpy(order)], torch.full((len(wrong),), FOUND, dtype=torch.int8), clean.clone(), known
    )
    return Corrupted(train, data.test, data.test, truth)


def apply_trigger(inputs: torch.Tensor, trigger: TriggerSpec, displacement: tuple[float, float] | None) -> torch.Tensor:
    """A copy of ``inputs`` with the trigger on every example: a patch on images, the displacement on points."""
    if inputs.dim() == 2:
        if displacement is None:
            raise UserError("This dataset has no trigger: its points have no displacement.")
        return inputs + torch.tensor(displacement, dtype=inputs.dtype)
    rows, columns = patch_slices(trigger, inputs.shape[-2], inputs.shape[-1])
    stamped = inputs.clone()
    patch = stamped[..., rows, columns].float()
    blended = patch * (1 - trigger.opacity) + trigger.value * trigger.opacity
    stamped[..., rows, columns] = blended.round().to(inputs.dtype)
    return stamped


def patch_slices(trigger: TriggerSpec, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns that the patch covers; ``UserError`` when it is larger than the image."""
    if trigger.size > min(height, width):
        raise UserError(f"A trigger of {trigger.size} pixels does not fit on images of {height}×{width}.")
    vertical, horizontal = trigger.corner.split("-")
    rows = slice(0, trigger.size) if vertical == "top" else slice(height - trigger.size, height)
    columns = slice(0, trigger.size) if horizontal == "left" else slice(width - trigger.size, width)
    return rows, columns


@dataclass(frozen=True)
class _Slots:
    """All draws for n corrupted examples, made before the dial is read. Slots are ordered by their uniform ``u``."""

    anywhere: np.ndarray  # (n,) the example taken as a random label or a trigger
    confusable: np.ndarray  # (n,) the example taken as a confusion; the same one where its class allows
    wrong: np.ndarray  # (n,) in [0, 1): which wrong label a random label becomes
    discovery: np.ndarray  # (n,) permutation: the order in which slots are discovered
    eligible: tuple[int, int]  # how many examples of class a and class b confusion may draw from
    from_a: np.ndarray  # (n,) whether the confusion takes an example of class a

    def kinds(self, regularity: float) -> np.ndarray:
        # Slot j has u = (j + 1/2) / n, stratified so that the counts are exact: random while u < w_random, trigger when
        # u > 1 - w_trigger, confusion between. As r grows each slot passes random → confusion → trigger once.
        n = len(self.anywhere)
        u = (np.arange(n) + 0.5) / n
        random, _, trigger = weights(regularity)
        return np.where(u >= 1 - trigger, TRIGGER, np.where(u < random, RANDOM, CONFUSION)).astype(np.int8)


def _draw_slots(train: LabelledData, spec: CorruptionSpec, n: int, rng: np.random.Generator) -> _Slots:
    labels = train.labels.numpy()
    taken = rng.permutation(len(labels))[:n]
    wrong, discovery = rng.random(n), rng.permutation(n)
    parity = np.arange(n) % 2 == 0
    anywhere, confusable = np.full(n, -1), np.full(n, -1)
    eligible = []
    for cls, wanted in ((spec.class_a, parity), (spec.class_b, ~parity)):
        pool = _eligible(train, cls)
        eligible.append(len(pool))
        mine = np.intersect1d(taken, pool)
        slots = rng.permutation(np.flatnonzero(wanted))
        # Examples of this class that are corrupted anyway serve as their own confusion: the dial then keeps them.
        kept = mine[rng.permutation(len(mine))][: len(slots)]
        anywhere[slots[: len(kept)]] = confusable[slots[: len(kept)]] = kept
        others = rng.permutation(np.setdiff1d(pool, taken))
        # Cyclic where there are too few; ``_check_confusion`` allows no window so wide that one would be taken twice.
        free = np.sort(slots[len(kept) :])
        if len(free) and not len(others):
            others = kept if len(kept) else pool
        confusable[free] = others[np.arange(len(free)) % max(1, len(others))] if len(free) else confusable[free]
    rest = rng.permutation(np.setdiff1d(taken, anywhere))
    anywhere[anywhere < 0] = rest
    return _Slots(anywhere, confusable, wrong, discovery, (eligible[0], eligible[1]), parity)


def _eligible(train: LabelledData, cls: int) -> np.ndarray:
    """Examples of a class that confusion may draw from: all of them, or on 2-D data those in the right-hand region."""
    members = np.flatnonzero(train.labels.numpy() == cls)
    if train.is_image:
        return members
    x = train.inputs.numpy()[members, 0]
    return members[x >= np.median(x)]


def _wrong_labels(clean: np.ndarray, kinds: np.ndarray, wrong: np.ndarray, spec: CorruptionSpec, classes: int) -> np.ndarray:
    uniform = (clean + 1 + (wrong * (classes - 1)).astype(np.int64)) % classes
    swapped = np.where(clean == spec.class_a, spec.class_b, spec.class_a)
    # As in the paper, a triggered example may already be of the target class: its label then happens to be right.
    return np.where(kinds == RANDOM, uniform, np.where(kinds == CONFUSION, swapped, spec.target_class))


def _check_classes(spec: CorruptionSpec, names: tuple[str, ...]) -> None:
    for field in ("class_a", "class_b", "target_class"):
        value = getattr(spec, field)
        if value >= len(names):
            raise UserError(f"{field} must be below {len(names)}, the number of classes (got {value}).")


def _check_confusion(spec: CorruptionSpec, slots: _Slots, kinds: np.ndarray) -> None:
    confused = kinds == CONFUSION
    for cls, of, taken in (
        (spec.class_a, slots.eligible[0], int((confused & slots.from_a).sum())),
        (spec.class_b, slots.eligible[1], int((confused & ~slots.from_a).sum())),
    ):
        if taken > MAX_CONFUSED * of:
            share = weights(spec.regularity)[1]
            most = int(2 * MAX_CONFUSED * min(slots.eligible) / share)
            raise UserError(
                f"Confusion would relabel {taken} of the {of} examples it may take from class {cls}, and at most "
                f"{MAX_CONFUSED:.0%} keeps the task meaningful: corrupt at most {most} examples, or move the regularity."
            )
