"""Distances to reference models: the original, retraining without what was discovered, and the oracle.

They exist only where the reference has been computed for the same scenario and seed; nothing is hard-coded.
"""

from __future__ import annotations

from statistics import mean

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.accuracy import ForgetAccuracy, RetainAccuracy, Utility
from unlearn_core.evaluation.base import ONLY_WRONG, share
from unlearn_core.evaluation.membership import MembershipAuc


def average_gap(evidence: Evidence, reference: str) -> float | None:
    """Mean |difference| in forget accuracy, retain accuracy, utility and membership AUC to a reference (arXiv:2310.12508,
    "average gap", with the AUC in place of an SVM's accuracy); None without the reference, and where two of the
    four have no meaning."""
    other = evidence.of(reference)
    if other is None or evidence.labels_right:
        return None
    gaps = []
    for metric in (ForgetAccuracy, RetainAccuracy, Utility, MembershipAuc):
        here, there = metric.compute(evidence), metric.compute(other)
        if here is not None and there is not None:
            gaps.append(abs(here - there))
    return mean(gaps) if gaps else None


@register
class GapToRetrain(Metric):
    name, label = "gap_retrain", "Gap to retraining"
    formula = (
        "mean |difference| in forget accuracy, retain accuracy, utility and membership AUC to retraining without F" + ONLY_WRONG
    )
    direction, split = "lower", "F, the training examples outside F, and test data"
    revision = 2  # the membership AUC has another definition since
    compares_with = ("retrain",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return average_gap(evidence, "retrain")


@register
class GapToOracle(Metric):
    name, label = "gap_oracle", "Gap to the oracle"
    formula = (
        "mean |difference| in forget accuracy, retain accuracy, utility and membership AUC to retraining without all of C"
        + ONLY_WRONG
    )
    direction, split = "lower", "F, the training examples outside F, and test data"
    revision = 2
    compares_with = ("oracle_retrain",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return average_gap(evidence, "oracle_retrain")


@register
class AgreementWithOracle(Metric):
    name, label = "agreement_oracle", "Agreement with the oracle"
    formula = "share of test examples on which the prediction equals that of retraining without all of C"
    direction, split = "higher", "test data"
    compares_with = ("oracle_retrain",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        oracle = evidence.references.get("oracle_retrain")
        return None if oracle is None else share(evidence.logits.test.argmax(1) == oracle.test.argmax(1))


@register
class AdaptiveUnlearningScore(Metric):
    name, label = "aus", "AUS (class-removal form)"
    formula = (
        "(1 − (utility of the original − utility)) / (1 + forget accuracy), the adaptive unlearning score in its form for "
        "the removal of a class, whose ideal forget accuracy is 0 as it is for wrong labels; above 1 where utility rose. The "
        "form for samples divides by 1 + |forget accuracy − utility| and gives other numbers: they do not compare"
    )
    direction, split = "higher", "F and test data"
    unit = "score"

    # Cotogni et al. 2023, arXiv:2312.02052.
    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        before, after, forget = evidence.of("original"), Utility.compute(evidence), ForgetAccuracy.compute(evidence)
        if before is None or after is None or forget is None:
            return None
        utility = Utility.compute(before)
        return None if utility is None else (1 - (utility - after)) / (1 + forget)
