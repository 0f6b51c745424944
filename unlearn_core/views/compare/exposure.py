"""How sure each model still is of the labels of F: what somebody who has the model could recognise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from unlearn_core.evaluation.membership import MIN_TARGETS, log_odds
from unlearn_core.results.reader import Results, scenario_data
from unlearn_core.specs import MethodSpec, Scenario

MOST_FALSE = 0.05
"""The share of unseen images that may pass for known at the threshold that is shown first."""


@dataclass(frozen=True)
class Exposure:
    """Log-odds of labels (no unit), by the score of :func:`~unlearn_core.evaluation.membership.log_odds`.

    ``examples``: int64 (m,), training indices of F. ``known``: model → float64 (m,), of F's given labels, for "original",
    the method and, where it is stored, "retrain"; ``unseen``: model → float64 (t,), of the labels of test data.
    """

    examples: np.ndarray
    known: dict[str, np.ndarray]
    unseen: dict[str, np.ndarray]

    def first_threshold(self, model: str) -> float:
        """The score above which at most :data:`MOST_FALSE` of the unseen images lie."""
        return float(np.quantile(self.unseen[model], 1 - MOST_FALSE))

    def recognised(self, model: str, threshold: float) -> tuple[float, float]:
        """The shares of F and of unseen images whose score is at least ``threshold``."""
        return float((self.known[model] >= threshold).mean()), float((self.unseen[model] >= threshold).mean())

    def most_exposed(self, model: str, count: int) -> np.ndarray:
        """The examples of F with the highest scores, highest first: training indices, int64 (≤ count,)."""
        order = np.argsort(-self.known[model], kind="stable")[:count]
        return np.asarray(self.examples[order])


def exposure(store: Results, scenario: Scenario, spec: MethodSpec, reference: MethodSpec | None) -> Exposure | None:
    """Scores of the original, ``spec`` and ``reference`` (usually retraining; left out where it is not stored).

    None where F is smaller than :data:`MIN_TARGETS`, there is no test data, or the outputs of a model are not stored.
    """
    corrupted = scenario_data(scenario).corrupted
    forget = corrupted.truth.forget_of(scenario)
    if len(forget) < MIN_TARGETS or not len(corrupted.test):
        return None
    models = {"original": scenario.original_key, spec.name: scenario.run_key(spec)}
    if reference is not None and scenario.run_key(reference) in store.has([scenario.run_key(reference)]):
        models.setdefault(reference.name, scenario.run_key(reference))
    known, unseen = {}, {}
    given, right = corrupted.train.labels[forget], corrupted.test.labels
    for model, key in models.items():
        try:
            logits = store.arrays(key, "logits")
        except LookupError:
            if model in ("original", spec.name):
                return None
            continue
        known[model] = log_odds(torch.as_tensor(logits["train"])[forget], given)
        unseen[model] = log_odds(torch.as_tensor(logits["test"]), right)
    return Exposure(forget.numpy(), known, unseen)
