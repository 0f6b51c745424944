"""Measured regularity: how much the corrupted examples share, as a number (after C-scores, arXiv:2002.03206)."""

from __future__ import annotations

import torch

from unlearn_core.corruption import KINDS
from unlearn_core.errors import UserError
from unlearn_core.evaluation.scenario_data import ScenarioData
from unlearn_core.models import build_model
from unlearn_core.specs import Scenario
from unlearn_core.training import FreshTrainer, Reporter, predict
from unlearn_core.training.progress import RepeatProgress

FOLDS = 4


def measured_regularity(scenario: Scenario, scenario_data: ScenarioData, reporter: Reporter) -> dict[str, object]:
    """Mean out-of-fold probability that a corrupted example gets its *given* label.

    Every training example is held out once; models are trained on the other folds exactly as the original is. Returns
    ``measured`` in [0, 1], its mean ``per_kind``, and ``n``, the number of corrupted examples.
    """
    data, truth = scenario_data.train, scenario_data.corrupted.truth
    if not len(truth.corrupted):
        raise UserError("The regularity is measured on corrupted examples, and none are known here.")
    fold = torch.randperm(len(data), generator=torch.Generator().manual_seed(scenario.seed)) % FOLDS
    chance = torch.zeros(len(data))
    for k in range(FOLDS):
        shape = scenario_data.corrupted.train.shape
        model = build_model(scenario.model, shape, data.classes, scenario.seed + k, data.mean_std).to(data.device)
        inside = (fold != k).nonzero()[:, 0].to(data.device)
        outside = (fold == k).nonzero()[:, 0].to(data.device)
        part = RepeatProgress(reporter, k, FOLDS)
        FreshTrainer(model, data, scenario.training, scenario.seed + k, part, snapshots=False).fit(inside)
        probabilities = predict(model, data, outside).softmax(1)
        chance[outside.cpu()] = probabilities.gather(1, data.labels[outside][:, None])[:, 0].cpu()
    scores = chance[truth.corrupted]
    kinds = {KINDS[k]: float(scores[truth.kinds == k].mean()) for k in range(len(KINDS)) if (truth.kinds == k).any()}
    return {"measured": float(scores.mean()), "per_kind": kinds, "n": len(scores)}
