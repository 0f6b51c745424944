"""What a method costs and how much of the network it touches."""

from __future__ import annotations

from unlearn_core.evaluation import Evidence, Metric, register


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
