"""What a method costs and how much of the network it touches."""

from __future__ import annotations

from unlearn_core.evaluation import Evidence, Metric, register
from unlearn_core.evaluation.base import ONLY_WRONG
from unlearn_core.evaluation.relearning import BATCH, MAX_STEPS


@register
class Seconds(Metric):
    name, label = "seconds", "Seconds"
    formula = "wall-clock time of the method, device-synchronised, evaluation and snapshots excluded"
    direction, split, unit = "lower", "not a data split", "s"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return evidence.seconds


@register
class ParametersChanged(Metric):
    name, label = "parameters_changed", "Parameters changed"
    formula = "share of the network's parameters that differ from the original's, dropped redirect channels not counted"
    direction, split = "none", "not a data split"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return evidence.parameters_changed


@register
class WeightDistance(Metric):
    name, label = "weight_distance", "Weight distance"
    formula = "‖θ − θ₀‖₂ / ‖θ₀‖₂ over the original's parameters, dropped redirect channels not counted"
    direction, split, unit = "none", "not a data split", "ratio"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return evidence.weight_distance


@register
class RelearnSteps(Metric):
    name, label = "relearn_steps", "Relearn time"
    formula = (
        f"gradient steps on F, {BATCH} examples each, until 90 % of it fit their given labels again, at most {MAX_STEPS}; few: "
        f"it was hidden, not forgotten. Where F has fewer than {BATCH} examples every step sees all of it, and labels that "
        "follow one rule (a trigger) are back within 0 to 3 steps even after retraining: compare with the oracle, not with 0"
        + ONLY_WRONG
    )
    direction, split, unit = "higher", "discovered corrupted examples (F)", "steps"

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        return None if evidence.relearn_steps is None or evidence.labels_right else float(evidence.relearn_steps)
