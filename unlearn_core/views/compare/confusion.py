"""Which classes are taken for which, by the original and by a healed model, example by example."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unlearn_core.results.reader import Results, scenario_data
from unlearn_core.specs import MethodSpec, Scenario

SPLITS = {
    "test": "clean test data",
    "corrupted": "the corrupted training examples",
}
"""What is counted, in words. The second is known only where the corruption was made here."""


@dataclass(frozen=True)
class Confusion:
    """Predictions of two models for the same ``n`` examples of one split.

    ``examples``: int64 (n,), positions in the split's data; ``right``, ``before``, ``after``: int64 (n,), the right class and
    what the original and the healed model predict; ``names``: of the K classes; ``split``: a key of :data:`SPLITS`.
    """

    split: str
    names: tuple[str, ...]
    examples: np.ndarray
    right: np.ndarray
    before: np.ndarray
    after: np.ndarray

    def counts(self, said: np.ndarray) -> np.ndarray:
        """How many examples of class r are predicted as p: int64 (K, K), rows r, columns p."""
        classes = len(self.names)
        flat: np.ndarray = np.bincount(self.right * classes + said, minlength=classes**2)
        return flat.reshape(classes, classes)

    def cell(self, right: int, said: int, healed: bool = True) -> np.ndarray:
        """Positions in the split of the examples in one cell of the healed model's matrix (or the original's)."""
        found = self.after if healed else self.before
        return np.asarray(self.examples[(self.right == right) & (found == said)])


def confusion(store: Results, scenario: Scenario, spec: MethodSpec, split: str) -> Confusion | None:
    """The confusions of the original and of ``spec`` on ``split``; None where a model's outputs are not stored, or where the
    split has no example whose right class is known."""
    corrupted = scenario_data(scenario).corrupted
    keys = (scenario.original_key, scenario.run_key(spec))
    if not store.has(keys) >= set(keys):
        return None
    if split == "test":
        right = corrupted.test.labels.numpy()
        examples, part = np.arange(len(right)), "test"
    else:
        examples, part = corrupted.truth.corrupted.numpy(), "train"
        right = corrupted.truth.clean_labels.numpy()[examples]
    if not len(examples):
        return None
    try:
        before, after = (store.arrays(key, "logits")[part].argmax(1)[examples] for key in keys)
    except LookupError:  # damaged, or left out of what was precomputed
        return None
    return Confusion(split, tuple(corrupted.train.class_names), examples, right, before, after)
