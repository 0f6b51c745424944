"""RMIA: membership inference with a few reference models (Zarifzadeh, Liu & Shokri 2024, arXiv:2312.03262).

The attack asks how much likelier the model under test makes an example than models that never saw it do, and whether that
ratio beats the ratios of most population examples. Each training example is held out by half of the reference models, so
they serve every discovery rate and every method on the same corrupted data.
"""

from __future__ import annotations

import functools

import numpy as np
import torch

from unlearn_core.canonical import content_key
from unlearn_core.evaluation import Evidence, Metric, OutsideView, ScenarioData, register
from unlearn_core.evaluation.membership import MIN_TARGETS, log_odds
from unlearn_core.evaluation.ranking import auc, share_recognised
from unlearn_core.models import build_model
from unlearn_core.specs import Scenario
from unlearn_core.training import FreshTrainer, Reporter, predict
from unlearn_core.training.progress import RepeatProgress

MODELS = 4
"""Reference models: two pairs, each trained on complementary halves of the training data."""
GAMMA = 2.0
"""By how much an example's ratio must exceed a population example's to count (the paper's γ)."""
OFFLINE = 0.3
"""The paper's a, for CIFAR-10, in p(x) = ½((1 + a)·p_out(x) + 1 − a): what models that were trained on x would say is not
measured but assumed."""


def reference_models_key(scenario: Scenario) -> str:
    """Key of the reference models' record; like the original, they don't depend on the discovery rate."""
    return content_key("reference_models", scenario.original_key, MODELS)


def train_references(scenario: Scenario, scenario_data: ScenarioData, reporter: Reporter) -> OutsideView:
    """Train the reference models as the original is trained, each on half of the data, wrong labels and all."""
    data, test = scenario_data.train, scenario_data.test
    count = len(data)
    train_chance, test_chance = torch.zeros(count), torch.zeros(len(test))
    seen, unseen, inside_chance = torch.zeros(count), torch.zeros(count), torch.zeros(count)
    for k in range(MODELS):
        order = torch.randperm(count, generator=torch.Generator().manual_seed(scenario.seed * MODELS + k // 2))
        halves = order[: count // 2].sort().values, order[count // 2 :].sort().values
        inside, outside = halves[k % 2].to(data.device), halves[1 - k % 2].to(data.device)
        seed = scenario.seed + 1 + k
        model = build_model(scenario.model, scenario_data.corrupted.train.shape, data.classes, seed, data.mean_std).to(
            data.device
        )
        FreshTrainer(model, data, scenario.training, seed, RepeatProgress(reporter, k, MODELS), snapshots=False).fit(inside)
        foreign = predict(model, data, outside)
        train_chance[outside.cpu()] += _own(foreign, data.labels[outside])
        unseen[outside.cpu()] += _odds(foreign, data.labels[outside])
        own = predict(model, data, inside)
        seen[inside.cpu()] += _odds(own, data.labels[inside])
        inside_chance[inside.cpu()] += _own(own, data.labels[inside])
        # As many models judge a test example as judge a training example: the estimates must be equally noisy.
        if k % 2 == 0:
            test_chance += _own(predict(model, test), test.labels)
    return OutsideView(*(values / (MODELS / 2) for values in (train_chance, test_chance, seen, unseen, inside_chance)))


def _own(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return logits.float().softmax(1).gather(1, labels[:, None])[:, 0].cpu()


def _odds(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(log_odds(logits.cpu(), labels.cpu())).float()


def rmia_scores(targets: np.ndarray, population: np.ndarray, gamma: float = GAMMA) -> np.ndarray:
    """Share (n,) of the population (m,) whose likelihood ratio is at least ``gamma`` times below the target's (n,)."""
    return np.searchsorted(np.sort(population), targets / gamma, side="right") / len(population)


def likelihood_ratio(own: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """p(x | model) / p(x), both arguments probabilities (n,) of the label, the second by models that never saw x."""
    return own / (0.5 * ((1 + OFFLINE) * outside + 1 - OFFLINE))


@functools.lru_cache(maxsize=16)
def _score_halves(evidence: Evidence) -> tuple[np.ndarray, np.ndarray] | None:
    """Scores of F and of one half of the test data, with the other half as population."""
    view, forget = evidence.outside, evidence.forget
    if view is None or len(forget) < MIN_TARGETS:
        return None
    given, clean = evidence.corrupted.train.labels, evidence.corrupted.test.labels
    trained = likelihood_ratio(_own(evidence.logits.train, given).numpy(), view.train.numpy())[forget.cpu().numpy()]
    unseen = likelihood_ratio(_own(evidence.logits.test, clean).numpy(), view.test.numpy())
    order = torch.randperm(len(unseen), generator=torch.Generator().manual_seed(evidence.scenario.seed)).numpy()
    population, strangers = unseen[order[: len(order) // 2]], unseen[order[len(order) // 2 :]]
    return rmia_scores(trained, population), rmia_scores(strangers, population)


class _Rmia(Metric):
    split = "F against half of the test data; the other half is the population"
    compares_with = ("reference_models",)

    @classmethod
    def compute(cls, evidence: Evidence) -> float | None:
        found = _score_halves(evidence)
        return None if found is None else cls.of(*found)

    @classmethod
    def of(cls, known: np.ndarray, unknown: np.ndarray) -> float:
        """The metric from the scores of F (n,) and of unseen test data (m,)."""
        raise NotImplementedError


@register
class RmiaAuc(_Rmia):
    name, label = "rmia_auc", "RMIA AUC"
    formula = "area under the ROC curve of RMIA with four reference models (Zarifzadeh et al. 2024): F against unseen test data"
    direction = "none"

    @classmethod
    def of(cls, known: np.ndarray, unknown: np.ndarray) -> float:
        return auc(known, unknown)


@register
class RmiaTpr(_Rmia):
    name, label = "rmia_tpr_at_1_fpr", "RMIA TPR at 1 % FPR"
    formula = "share of F that RMIA recognises when it accuses 1 % of unseen test data"
    direction = "lower"

    @classmethod
    def of(cls, known: np.ndarray, unknown: np.ndarray) -> float:
        return share_recognised(known, unknown)
