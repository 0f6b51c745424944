"""A metric in a single file: the clean class that was healed least."""

from __future__ import annotations

from unlearn_core.evaluation import Evidence, Metric, register


@register
class WorstHealed(Metric):
    name, label = "worst_healed", "Healed, worst class"
    formula = "smallest share, over the clean classes that C has examples of, of those predicted as their clean label"
    direction, split = "higher", "all corrupted training examples (C), trigger left on"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        corrupted = evidence.corrupted.truth.corrupted
        if not len(corrupted):
            return None
        right, clean = evidence.correct_on(corrupted), evidence.corrupted.truth.clean_labels[corrupted]
        return min(float(right[clean == k].float().mean()) for k in clean.unique())
