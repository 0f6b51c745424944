"""Flips: single test examples on which unlearning changed the answer from right to wrong, or from wrong to right.

An accuracy that stays where it was can hide both. The difference of the two shares is the change of the accuracy exactly. Who
uses a model that is replaced by its unlearned version notices the negative ones (Yan et al. 2021, arXiv:2011.09161).
"""

from __future__ import annotations

import torch

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.base import share


def flips(before: torch.Tensor, after: torch.Tensor) -> tuple[float | None, float | None]:
    """Shares of examples that were right ``before`` and are wrong ``after``, and the other way round; both bool (M,).

    None without examples."""
    return share(before & ~after), share(~before & after)


def _right(evidence: Evidence) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Whether the original and the model predict each clean test example right: bool (M,) each; None without the original."""
    original, labels = evidence.references.get("original"), evidence.corrupted.test.labels
    if original is None:
        return None
    return original.test.argmax(1) == labels, evidence.logits.test.argmax(1) == labels


@register
class NegativeFlips(Metric):
    name, label = "negative_flips", "Negative flips"
    formula = "share of clean test examples that the original predicts right and the model wrong"
    direction, split = "lower", "test data, against the original"
    compares_with = ("original",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        found = _right(evidence)
        return None if found is None else flips(*found)[0]


@register
class PositiveFlips(Metric):
    name, label = "positive_flips", "Positive flips"
    formula = (
        "share of clean test examples that the original predicts wrong and the model right; less the negative flips it is the "
        "change of utility exactly"
    )
    direction, split = "higher", "test data, against the original"
    compares_with = ("original",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        found = _right(evidence)
        return None if found is None else flips(*found)[1]


class _OfClasses(Metric):
    """Negative flips of those test examples whose class corrupted examples are given, or of the others."""

    direction = "lower"
    compares_with = ("original",)
    named: bool

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        found, corrupted = _right(evidence), evidence.corrupted
        if found is None or not corrupted.truth.known:
            return None
        accused = corrupted.train.labels[corrupted.truth.corrupted].unique()
        ours = torch.isin(corrupted.test.labels, accused)
        if ours.all() or not ours.any():
            return None
        chosen = ours if cls.named else ~ours
        return flips(found[0][chosen], found[1][chosen])[0]


@register
class NegativeFlipsNamed(_OfClasses):
    name, label, named = "negative_flips_named", "Negative flips, classes that C is given", True
    formula = (
        "negative flips among test examples of those classes that corrupted examples are labelled as; no value where these are "
        "all classes"
    )
    split = "test data of the classes that C is given, against the original"


@register
class NegativeFlipsOthers(_OfClasses):
    name, label, named = "negative_flips_others", "Negative flips, other classes", False
    formula = (
        "negative flips among test examples of classes that no corrupted example is labelled as; no value where there is no "
        "such class"
    )
    split = "test data of the classes that C is not given, against the original"
