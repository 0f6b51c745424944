"""What is measured. Together with oracles the only code that sees the ground truth."""

from unlearn_core.evaluation._arena import Arena, Logits, build_arena, observe
from unlearn_core.evaluation._base import (
    Evidence,
    Metric,
    OutsideView,
    measure,
    measured_for,
    of_today,
    registry,
    revisions,
)
from unlearn_core.evaluation._fit import fit_key, fit_sentences, measure_fit
from unlearn_core.evaluation._regularity import measured_regularity
from unlearn_core.evaluation._relearn import relearn_steps

register = registry.register

__all__ = [
    "Arena",
    "Evidence",
    "Logits",
    "Metric",
    "OutsideView",
    "build_arena",
    "fit_key",
    "fit_sentences",
    "measure",
    "measure_fit",
    "measured_for",
    "measured_regularity",
    "observe",
    "of_today",
    "register",
    "registry",
    "relearn_steps",
    "revisions",
]
