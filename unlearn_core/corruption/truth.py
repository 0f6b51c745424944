"""Ground truth: clean labels and which examples are corrupted. For evaluation and oracles alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch

from unlearn_core.corruption.base import Mark
from unlearn_core.corruption.counts import check_forget, discovered_count
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError
from unlearn_core.specs import Scenario

UNKNOWN_TRUTH: Final = (
    "With labels as they come nobody knows which are wrong, so there is no discovery rate: give a forget list, or a table with "
    "a clean_label for every training image."
)
NOTHING_WRONG: Final = "Every training label equals the clean label that the data give, so there is nothing to discover."


@dataclass(frozen=True)
class GroundTruth:
    """What only evaluation and oracles may see.

    ``corrupted``: int64 (n,), training indices in order of discovery. ``kinds``: int8 (n,), numbers of ``corruption.kinds``,
    whose names :data:`KINDS` has. ``clean_labels``: int64 (N,), the true label of every training example, -1 where unknown.
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
        """int64 (N,): the clean labels, with those put in that the user gave for examples of an edited forget set; -1 where
        the right label is unknown."""
        labels, position = self.clean_labels, {name: k for k, name in enumerate(class_names)}
        given = [(index, position[name]) for index, name in scenario.relabelled if name in position]
        if self.known or not given:
            return labels
        labels = labels.clone()
        labels[torch.tensor([index for index, _ in given])] = torch.tensor([label for _, label in given])
        return labels


@dataclass(frozen=True)
class Corrupted:
    """A corrupted dataset: training data as given, clean and triggered test data, and the ground truth.

    ``triggered_test``: the test data with the dial's trigger on; or where a corruption has taken the dial's place, the test
    data with each of its ``marks`` on, one block of M images after the other, and where ``labels_right`` a last block of n:
    the corrupted examples as they were before. ``labels_right``: whether no corrupted example has a wrong label.
    """

    train: LabelledData
    test: LabelledData
    triggered_test: LabelledData
    truth: GroundTruth
    marks: tuple[Mark, ...] = ()
    labels_right: bool = False

    def marked(self, k: int) -> slice:
        """The test examples that carry mark ``k`` in ``triggered_test``."""
        return slice(k * len(self.test), (k + 1) * len(self.test))

    @property
    def unchanged(self) -> slice | None:
        """The corrupted examples as they were, in order of discovery, in ``triggered_test``; None where they are not there."""
        if not (self.labels_right and self.marks):
            return None
        start = len(self.marks) * len(self.test)
        return slice(start, start + len(self.truth.corrupted))
