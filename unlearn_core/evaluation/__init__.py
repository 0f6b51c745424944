"""What is measured. Together with oracles the only code that sees the ground truth."""

from unlearn_core.evaluation.base import (
    Evidence,
    Metric,
    OutsideView,
    measure,
    measured_for,
    of_today,
    registry,
    revisions,
)
from unlearn_core.evaluation.checkpoint_fit import fit_key, fit_sentences, measure_fit
from unlearn_core.evaluation.measured_regularity import measured_regularity
from unlearn_core.evaluation.relearning import relearn_steps
from unlearn_core.evaluation.scenario_data import Logits, ScenarioData, build_scenario_data, load_scenario_data, observe

register = registry.register

__all__ = [
    "Evidence",
    "Logits",
    "Metric",
    "OutsideView",
    "ScenarioData",
    "build_scenario_data",
    "fit_key",
    "fit_sentences",
    "load_scenario_data",
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
