"""What the original took up of the wrong labels: where that is little there is nothing to heal."""

from __future__ import annotations

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.base import ONLY_WRONG, share


@register
class Memorised(Metric):
    name, label = "memorised", "Memorised"
    formula = (
        "share of C whose given label the original predicts: the same for every method on the same original. Where it is small "
        "the model never took the wrong labels up, and what is called healed was right before" + ONLY_WRONG
    )
    direction, split = "none", "all corrupted training examples (C), outputs of the original"
    compares_with = ("original",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        original = evidence.of("original")
        if original is None or evidence.labels_right:
            return None
        return share(original.fits_on(original.corrupted.truth.corrupted))


@register
class MemorisedKnown(Metric):
    name, label = "memorised_known", "Memorised of the known"
    formula = (
        "share of F whose given label the original predicts: what can be seen of the memorised share where the truth is unknown"
        + ONLY_WRONG
    )
    direction, split = "none", "discovered corrupted examples (F), outputs of the original"
    compares_with = ("original",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        original = evidence.of("original")
        if original is None or evidence.labels_right:
            return None
        return share(original.fits_on(original.forget))
