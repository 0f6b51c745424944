"""Finding the corruption that is not discovered yet, from what a practitioner has.

Scores rank every example by suspicion (one small file per family, in registry style); the known corruption, held out fold
by fold, decides how far each score is trusted and turns the ranking into probabilities with expected precision and recall.
"""

from unlearn_core.discovery.base import ModelOutputs, Score, registry
from unlearn_core.discovery.folds import fold_of, out_of_fold
from unlearn_core.discovery.fusion import MIN_KNOWN, Fusion, ranking_quality
from unlearn_core.discovery.judgement import Judgement, judge
from unlearn_core.discovery.mixture import Mixture, fit_mixture

register = registry.register

__all__ = [
    "MIN_KNOWN",
    "Fusion",
    "Judgement",
    "Mixture",
    "ModelOutputs",
    "Score",
    "fit_mixture",
    "fold_of",
    "judge",
    "out_of_fold",
    "ranking_quality",
    "register",
    "registry",
]
