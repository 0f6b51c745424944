"""What can be measured where C is unknown: right labels that the user gave, and agreement with other models."""

from __future__ import annotations

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.base import share


@register
class HealedRelabelled(Metric):
    name, label = "healed_relabelled", "Healed, relabelled"
    formula = (
        "share of the examples whose given label is wrong and whose right label you gave (in the forget list or in the table "
        "of images) that are predicted as the right one; it speaks for these examples alone"
    )
    direction, split = "higher", "training examples with a right label given, where C is not known"
    as_found = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        indices, right = evidence.relabelled
        return share(evidence.logits.train[indices].argmax(1) == right)


@register
class AgreementWithOriginal(Metric):
    name, label = "agreement_original", "Agreement with the original"
    formula = "share of test examples on which the prediction equals the original's; only where the corruption is as found"
    direction, split = "none", "test data"
    as_found = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return _agreement(evidence, "original")


@register
class AgreementWithRetraining(Metric):
    name, label = "agreement_retrain", "Agreement with retraining"
    formula = (
        "share of test examples on which the prediction equals that of retraining without F; only where the corruption is as "
        "found"
    )
    direction, split = "none", "test data"
    as_found = True

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return _agreement(evidence, "retrain")


def _agreement(evidence: Evidence, reference: str) -> float | None:
    other = evidence.references.get(reference)
    return None if other is None else share(evidence.logits.test.argmax(1) == other.test.argmax(1))
