"""Groups class × attribute: what a spurious attribute costs those whom it speaks against (Sagawa et al. 2020)."""

from __future__ import annotations

from unlearn_core.corruption import ATTRIBUTE
from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.base import share
from unlearn_core.evaluation.calibration import LEAST, worst_of


def _attribute(evidence: Evidence) -> int | None:
    """Which mark is the attribute; None where there is none."""
    marks = evidence.corrupted.marks
    return next((k for k, mark in enumerate(marks) if mark.kind == ATTRIBUTE), None)


@register
class WorstGroup(Metric):
    name, label = "worst_group", "Worst-group accuracy"
    formula = (
        f"the lowest accuracy among the groups class × attribute that have at least {LEAST} test images, every test image with "
        "and without the attribute; only where an attribute goes with a class"
    )
    direction, split = "higher", "test data, each image twice: with the attribute and without"
    each_round, off_dial = True, True
    revision = 2  # a group of a few test images does not count since

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        k, labels = _attribute(evidence), evidence.corrupted.test.labels
        if k is None:
            return None
        versions = (evidence.logits.test.argmax(1), evidence.marked(k))
        return worst_of((said == labels)[labels == y] for said in versions for y in labels.unique())


@register
class WithAttribute(Metric):
    name, label = "with_attribute", "Accuracy with the attribute"
    formula = "accuracy on test data of every class with the attribute on; only where an attribute goes with a class"
    direction, split = "higher", "test data with the attribute on"
    each_round, off_dial = True, True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        k = _attribute(evidence)
        return None if k is None else share(evidence.marked(k) == evidence.corrupted.test.labels)
