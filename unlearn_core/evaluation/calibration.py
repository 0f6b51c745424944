"""What a mean accuracy hides: the class that is worst off, and whether the model's confidence can be believed."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.base import share

BINS = 15
LEAST = 10
"""Test examples that a class or a group must have to be told apart: fewer make a share of chance."""


def calibration_error(confidence: torch.Tensor, right: torch.Tensor, bins: int = BINS) -> float | None:
    """Σ (n_b/n)·|accuracy_b − mean confidence_b| over ``bins`` equal bins of the confidence from 0 to 1 (Guo et al. 2017,
    arXiv:1706.04599). ``confidence``: float (M,), the largest probability; ``right``: bool (M,). None without examples."""
    if not len(confidence):
        return None
    # A bin holds its upper end and not its lower one, as in the paper.
    place = (confidence.double() * bins).ceil().long().clamp(1, bins) - 1
    gap = torch.zeros(bins, dtype=torch.float64)
    gap.index_add_(0, place, right.double() - confidence.double())
    return float(gap.abs().sum() / len(confidence))


def worst_of(groups: Iterable[torch.Tensor]) -> float | None:
    """The lowest share among ``groups``, bool (n,) each, that have at least :data:`LEAST` examples; None where none has."""
    return min((value for one in groups if len(one) >= LEAST and (value := share(one)) is not None), default=None)


@register
class WorstClass(Metric):
    name, label = "worst_class", "Worst-class accuracy"
    formula = f"the lowest accuracy among the classes that have at least {LEAST} clean test examples"
    direction, split = "higher", "test data of each class"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        labels = evidence.corrupted.test.labels
        right = evidence.logits.test.argmax(1) == labels
        return worst_of(right[labels == k] for k in labels.unique())


@register
class CalibrationError(Metric):
    name, label = "calibration_error", "Calibration error"
    formula = (
        f"Σ (n_b/n)·|accuracy − mean confidence| over {BINS} equal bins of the largest probability (expected calibration "
        "error, ECE); 0: a model that says 80 % is right in 80 of 100 cases"
    )
    direction, split = "lower", "test data"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        logits = evidence.logits.test.double()
        return calibration_error(logits.softmax(1).amax(1), logits.argmax(1) == evidence.corrupted.test.labels)
