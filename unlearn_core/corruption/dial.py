"""The regularity dial: which examples become random labels, confusions and triggers, and which wrong label they get.

Each corrupted example is a random label, an interclass confusion or a trigger (the three tasks of arXiv:2505.17730) with
weights ``max(0, 1-2r)``, ``1-|2r-1|`` and ``max(0, 2r-1)``. Every draw is made once per slot and seed, before the dial is
read, so turning the dial moves as few examples as possible and discovery only ever adds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unlearn_core.corruption.kinds import CONFUSION, RANDOM, TRIGGER
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError
from unlearn_core.specs import CorruptionSpec

MAX_CONFUSED: Final = 0.4
"""Confusion may take this share of either class: beyond, the wrong label would soon be the majority's."""


def weights(regularity: float) -> tuple[float, float, float]:
    """Shares of random labels, confusion and triggers at this position of the dial."""
    return max(0.0, 1 - 2 * regularity), 1 - abs(2 * regularity - 1), max(0.0, 2 * regularity - 1)


@dataclass(frozen=True)
class Slots:
    """All draws for n corrupted examples, made before the dial is read. Slots are ordered by their uniform ``u``."""

    anywhere: np.ndarray  # (n,) the example taken as a random label or a trigger
    confusable: np.ndarray  # (n,) the example taken as a confusion; the same one where its class allows
    wrong: np.ndarray  # (n,) in [0, 1): which wrong label a random label becomes
    discovery: np.ndarray  # (n,) permutation: the order in which slots are discovered
    eligible: tuple[int, int]  # how many examples of class a and class b confusion may draw from
    from_a: np.ndarray  # (n,) whether the confusion takes an example of class a

    def kinds(self, regularity: float) -> np.ndarray:
        """The kind (n,) of every slot at this position of the dial, int8."""
        # Slot j has u = (j + 1/2) / n, stratified so that the counts are exact: random while u < w_random, trigger when
        # u > 1 - w_trigger, confusion between. As r grows each slot passes random → confusion → trigger once.
        n = len(self.anywhere)
        u = (np.arange(n) + 0.5) / n
        random, _, trigger = weights(regularity)
        return np.where(u >= 1 - trigger, TRIGGER, np.where(u < random, RANDOM, CONFUSION)).astype(np.int8)


def draw_slots(train: LabelledData, spec: CorruptionSpec, n: int, rng: np.random.Generator) -> Slots:
    """All draws for ``n`` corrupted examples of ``train``; they do not depend on where the dial stands."""
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
        # Cyclic where there are too few; ``check_confusion`` allows no window so wide that one would be taken twice.
        free = np.sort(slots[len(kept) :])
        if len(free) and not len(others):
            others = kept if len(kept) else pool
        confusable[free] = others[np.arange(len(free)) % max(1, len(others))] if len(free) else confusable[free]
    rest = rng.permutation(np.setdiff1d(taken, anywhere))
    anywhere[anywhere < 0] = rest
    return Slots(anywhere, confusable, wrong, discovery, (eligible[0], eligible[1]), parity)


def _eligible(train: LabelledData, cls: int) -> np.ndarray:
    """Examples of a class that confusion may draw from: all of them, or on 2-D data those in the right-hand region."""
    members = np.flatnonzero(train.labels.numpy() == cls)
    if train.is_image:
        return members
    x = train.inputs.numpy()[members, 0]
    right: np.ndarray = members[x >= np.median(x)]
    return right


def choose_wrong_labels(
    clean: np.ndarray, kinds: np.ndarray, wrong: np.ndarray, spec: CorruptionSpec, classes: int
) -> np.ndarray:
    """The given labels (n,) of corrupted examples with these ``clean`` labels (n,) and ``kinds`` (n,); ``wrong`` as in
    :class:`Slots`."""
    uniform = (clean + 1 + (wrong * (classes - 1)).astype(np.int64)) % classes
    swapped = np.where(clean == spec.class_a, spec.class_b, spec.class_a)
    # As in the paper, a triggered example may already be of the target class: its label then happens to be right.
    return np.where(kinds == RANDOM, uniform, np.where(kinds == CONFUSION, swapped, spec.target_class))


def check_confusion(spec: CorruptionSpec, slots: Slots, kinds: np.ndarray) -> None:
    """Raise :class:`UserError` where confusion would take more than :data:`MAX_CONFUSED` of either class."""
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
