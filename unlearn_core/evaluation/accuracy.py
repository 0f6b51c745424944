"""The accuracy family: what healed, and what it cost in accuracy (arXiv:2505.17730, §5; arXiv:2402.14015)."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from unlearn_core.corruption import CONFUSION, TRIGGER
from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.base import ONLY_WRONG, share


@register
class HealedTimesUtility(Metric):
    name, label = "healed_x_utility", "Healed × utility"
    formula = "healed · utility"
    direction, split = "higher", "corrupted training examples and clean test data"
    each_round = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        healed, utility = Healed.compute(evidence), Utility.compute(evidence)
        return None if healed is None or utility is None else healed * utility


@register
class Healed(Metric):
    name, label = "healed", "Healed"
    formula = (
        "share of C predicted as its clean label, triggers left on; where the labels of C are right, of its images as they "
        "were before they were marked, and no value where no mark was put on"
    )
    direction, split = "higher", "all corrupted training examples (C)"
    each_round = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return evidence.healed_on(evidence.corrupted.truth.corrupted)


@register
class Utility(Metric):
    name, label = "utility", "Utility"
    formula = "accuracy on clean test data"
    direction, split = "higher", "test data"
    each_round = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return share(evidence.logits.test.argmax(1) == evidence.corrupted.test.labels)


@register
class HealedDiscovered(Metric):
    name, label = "healed_discovered", "Healed, discovered"
    formula = "share of C in F predicted as its clean label, triggers left on"
    direction, split = "higher", "discovered corrupted examples (F)"
    each_round = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        # An edited forget set may accuse clean examples, which have nothing to heal from.
        discovered = evidence.forget[torch.isin(evidence.forget, evidence.corrupted.truth.corrupted)]
        return evidence.healed_on(discovered)


@register
class HealedUndiscovered(Metric):
    name, label = "healed_undiscovered", "Healed, undiscovered"
    formula = "share of C outside F predicted as its clean label, triggers left on"
    direction, split = "higher", "undiscovered corrupted examples (C outside F)"
    each_round = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return evidence.healed_on(evidence.undiscovered)


@register
class ForgetAccuracy(Metric):
    name, label = "forget_accuracy", "Forget accuracy"
    formula = "share of F still predicted as its given (wrong) label" + ONLY_WRONG
    direction, split = "lower", "discovered corrupted examples (F)"
    each_round = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return None if evidence.labels_right else share(evidence.fits_on(evidence.forget))


@register
class RetainAccuracy(Metric):
    name, label = "retain_accuracy", "Retain accuracy"
    formula = "share of the training examples outside F predicted as their given label"
    direction, split = "none", "training examples outside F, undiscovered corruption included"
    each_round = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        keep = torch.ones(len(evidence.corrupted.train), dtype=torch.bool)
        keep[evidence.forget] = False
        return share(evidence.fits_on(keep.nonzero()[:, 0]))


@register
class AttackSuccess(Metric):
    name, label = "attack_success", "Attack success"
    formula = (
        "share of triggered test examples of other classes predicted as the target class, of all triggers together; only where "
        "C holds triggers"
    )
    direction, split = "lower", "test data with the trigger on, without the target class"
    each_round = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        if evidence.corrupted.marks:
            return attacked(evidence, range(len(evidence.corrupted.marks)))
        if not (evidence.corrupted.truth.kinds == TRIGGER).any():
            return None
        target = evidence.scenario.corruption.target_class
        others = evidence.corrupted.test.labels != target
        return share(evidence.logits.triggered[others].argmax(1) == target)


@register
class ConfusedAccuracy(Metric):
    name, label = "confused_accuracy", "Accuracy on the confused classes"
    formula = "accuracy on clean test examples of the two confused classes; only where C holds confusion"
    direction, split = "higher", "test data of the two confused classes"
    each_round = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        if not (evidence.corrupted.truth.kinds == CONFUSION).any():
            return None
        spec, labels = evidence.scenario.corruption, evidence.corrupted.test.labels
        pair = (labels == spec.class_a) | (labels == spec.class_b)
        return share(evidence.logits.test[pair].argmax(1) == labels[pair])


def attacked(evidence: Evidence, marks: Iterable[int]) -> float | None:
    """Attack success of these of the data's marks together; None where none of them asks for a class."""
    labels, hits = evidence.corrupted.test.labels, []
    for k in marks:
        target = evidence.corrupted.marks[k].target
        if target is not None:
            hits.append(evidence.marked(k)[labels != target] == target)
    return share(torch.cat(hits)) if hits else None
