"""Tug of war: how near forgetting, keeping and generalising all are to a reference (Zhao et al. 2024, arXiv:2406.01257)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.accuracy import ForgetAccuracy, RetainAccuracy, Utility
from unlearn_core.evaluation.base import ONLY_WRONG, share
from unlearn_core.evaluation.membership import MembershipAuc

Measured = Callable[[Evidence], float | None]


def tug_of_war(pairs: Iterable[tuple[float, float]]) -> float:
    """Product of 1 − |Δ| over pairs of an accuracy and the reference's: 1 where all agree."""
    product = 1.0
    for here, there in pairs:
        product *= 1 - abs(here - there)
    return product


class _TugOfWar(Metric):
    """ToW against one reference; None without it, and where one of the three accuracies has no meaning."""

    direction, unit = "higher", "score"
    reference: str
    of_forget: Measured

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        other = evidence.of(cls.reference)
        if other is None or evidence.labels_right:
            return None
        measured: tuple[Measured, ...] = (cls.of_forget, RetainAccuracy.compute, Utility.compute)
        pairs = [(here, there) for one in measured if (here := one(evidence)) is not None and (there := one(other)) is not None]
        return tug_of_war(pairs) if len(pairs) == len(measured) else None


@register
class TugOfWarRetrain(_TugOfWar):
    name, label, reference = "tow_retrain", "ToW against retraining", "retrain"
    formula = (
        "(1 − |ΔF|)(1 − |ΔR|)(1 − |ΔT|) with Δ the difference to retraining without F in accuracy on F and on the training "
        "examples outside F, both with given labels, and on test data; empty where retraining has not run" + ONLY_WRONG
    )
    split = "F, the training examples outside F, and test data"
    compares_with = ("retrain",)

    @classmethod
    def of_forget(cls, evidence: Evidence) -> float | None:
        return ForgetAccuracy.compute(evidence)


@register
class TugOfWarMembership(_TugOfWar):
    name, label, reference = "tow_mia", "ToW-MIA against retraining", "retrain"
    formula = (
        "(1 − |ΔM|)(1 − |ΔR|)(1 − |ΔT|) with Δ the difference to retraining without F in the membership AUC of F, in accuracy "
        "on the training examples outside F, with given labels, and on test data: 1 where an attack sees F as after "
        "retraining, whatever F is predicted as; empty where retraining has not run" + ONLY_WRONG
    )
    split = "F, the training examples outside F, and test data"
    compares_with = ("retrain",)

    @classmethod
    def of_forget(cls, evidence: Evidence) -> float | None:
        return MembershipAuc.compute(evidence)


@register
class TugOfWarOracle(_TugOfWar):
    name, label, reference = "tow_oracle", "ToW against the oracle", "oracle_retrain"
    formula = (
        "(1 − |ΔF|)(1 − |ΔR|)(1 − |ΔT|) with Δ the difference to retraining without all of C in accuracy on F with right "
        "labels, on the training examples outside F with given labels, and on test data; empty where the oracle has not run"
        + ONLY_WRONG
    )
    split = "F, the training examples outside F, and test data"
    compares_with = ("oracle_retrain",)

    @classmethod
    def of_forget(cls, evidence: Evidence) -> float | None:
        known = evidence.corrupted.truth.known
        return share(evidence.correct_on(evidence.forget)) if known else None
