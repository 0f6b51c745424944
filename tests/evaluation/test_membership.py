"""Membership inference: scores by hand, and attacks that succeed and fail where they must."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from trained import Trained

from unlearn_core.corruption import Corrupted, GroundTruth
from unlearn_core.datasets import LabelledData
from unlearn_core.evaluation import Evidence, Logits, ScenarioData, build_scenario_data, measure, observe
from unlearn_core.evaluation.membership import log_odds
from unlearn_core.evaluation.ranking import auc, best_threshold, share_recognised
from unlearn_core.models import build_model
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scenario
from unlearn_core.training import SilentReporter, Trainer

NAMES = ("mia_auc", "mia_tpr_at_1_fpr", "mia_confidence")


def test_log_odds_by_hand() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 80.0, 0.0]])
    by_hand = [2 - math.log(math.e + 1), 80 - math.log(2)]  # 0.687, and no ceiling where the probability rounds to 1
    np.testing.assert_allclose(log_odds(logits, torch.tensor([0, 1])), by_hand, rtol=1e-6)
    p = torch.tensor([[0.7, 0.2, 0.1]])
    assert log_odds(p.log(), torch.tensor([1]))[0] == pytest.approx(math.log(0.2 / 0.8), rel=1e-5)


def test_the_area_and_the_recognised_share_by_hand() -> None:
    known, unknown = np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0])
    # Pairs: 1 beats 0, 2 beats 0 and ties with 2, 3 beats both: 1 + 1.5 + 2 of 6.
    assert auc(known, unknown) == pytest.approx(4.5 / 6)
    assert auc(unknown, known) == pytest.approx(1.5 / 6)
    strangers = np.arange(200.0)  # 1 % of them, 198 and 199, may be accused: the bound is 198, which must be exceeded
    assert share_recognised(np.array([100.0, 198.0, 198.5, 300.0]), strangers) == 0.5
    assert (strangers > 198).mean() <= 0.01


def test_the_threshold_is_the_best_of_all() -> None:
    members, strangers = np.array([3.0, 4, 5, 1]), np.array([0.0, 1, 2, 3.5])
    best = best_threshold(members, strangers)

    def accuracy(t: float) -> float:
        return (members >= t).mean() + (strangers < t).mean()

    assert accuracy(best) == max(accuracy(t) for t in np.concatenate([members, strangers]))


def evidence(remembered: bool, n: int = 200) -> Evidence:
    """Members are predicted confidently, strangers less so; F like members if ``remembered``, else like strangers."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (n,), generator=generator)

    def logits(confidence: torch.Tensor) -> torch.Tensor:
        noise = 0.5 * torch.randn(n, 3, generator=generator)
        return noise + torch.nn.functional.one_hot(labels, 3) * confidence[:, None]

    confidence = torch.full((n,), 6.0)
    forget = torch.arange(40)
    if not remembered:
        confidence[forget] = 1.0
    images = torch.zeros(n, 1, 4, 4, dtype=torch.uint8)
    data = LabelledData(images, labels, ("a", "b", "c"))
    truth = GroundTruth(forget, torch.zeros(40, dtype=torch.int8), labels)
    corrupted = Corrupted(data, data, data, truth)
    strangers = logits(torch.full((n,), 1.0))
    return Evidence(make_scenario(), corrupted, forget, Logits(logits(confidence), strangers, strangers))


def test_what_is_remembered_is_recognised_and_what_is_not_is_not() -> None:
    known, forgotten = (measure(evidence(flag), NAMES) for flag in (True, False))
    assert known["mia_auc"] > 0.95
    assert known["mia_tpr_at_1_fpr"] > 0.7
    assert known["mia_confidence"] > 0.9
    assert forgotten["mia_auc"] == pytest.approx(0.5, abs=0.12)
    assert forgotten["mia_tpr_at_1_fpr"] < 0.1
    assert forgotten["mia_confidence"] == pytest.approx(0.5, abs=0.1)


def test_every_number_by_hand() -> None:
    """Two classes, log-odds z: F is given labels with z = −1, 0.5, 2, 4, 6; ten test examples have z = 0 … 9."""
    odds = torch.tensor([-1.0, 0.5, 2.0, 4.0, 6.0, *[20.0] * 5])

    def pair(z: torch.Tensor) -> torch.Tensor:
        return torch.stack([z, torch.zeros_like(z)], 1)

    images, labels = torch.zeros(10, 1, 2, 2, dtype=torch.uint8), torch.zeros(10, dtype=torch.int64)
    data = LabelledData(images, labels, ("a", "b"))
    forget = torch.arange(5)
    truth = GroundTruth(forget, torch.zeros(5, dtype=torch.int8), torch.ones(10, dtype=torch.int64))
    test = pair(torch.arange(10.0))
    found = measure(
        Evidence(make_scenario(), Corrupted(data, data, data, truth), forget, Logits(pair(odds), test, test)), NAMES
    )
    # −1 beats none, 0.5 beats one, 2 two and a half, 4 four and a half, 6 six and a half of ten.
    assert found["mia_auc"] == pytest.approx((0 + 1 + 2.5 + 4.5 + 6.5) / 50)
    assert found["mia_tpr_at_1_fpr"] == 0
    assert found["mia_confidence"] == pytest.approx(0.5)  # all of F and of the strangers lie below the members' 20


def fitted(scenario: Scenario, arena: ScenarioData, without: torch.Tensor) -> Logits:
    keep = torch.ones(len(arena.train), dtype=torch.bool)
    keep[without] = False
    model = build_model(scenario.model, arena.corrupted.train.shape, arena.train.classes, 0, arena.train.mean_std)
    Trainer(model, arena.train, scenario.training, 0, SilentReporter(), snapshots=False).fit(keep.nonzero()[:, 0])
    return observe(model, arena)


@pytest.fixture(scope="module")
def triggered() -> Evidence:
    """Digits with a trigger, all of it discovered, as the original sees them; reference: retrained without F."""
    scenario = make_scenario("digits", regularity=1.0, discovery=1.0, overrides={"training.epochs": 12})
    arena = build_scenario_data(scenario, torch.device("cpu"))
    forget = arena.corrupted.truth.forget_of(scenario)
    logits = fitted(scenario, arena, forget[:0]), fitted(scenario, arena, forget)
    return Evidence(scenario, arena.corrupted, forget, logits[0], references={"retrain": logits[1]})


def test_retraining_without_wrong_labels_never_looks_trained_on_them(triggered: Evidence) -> None:
    before, after = measure(triggered, NAMES), measure(triggered.of("retrain"), NAMES)
    assert after["mia_auc"] < 0.1
    assert after["mia_tpr_at_1_fpr"] <= 0.05
    assert after["mia_confidence"] < 0.5
    assert before["mia_auc"] > 0.6
    gap = measure(triggered, ["gap_retrain"])["gap_retrain"]
    assert gap > (before["mia_auc"] - after["mia_auc"]) / 4


def test_labels_that_a_model_finds_unlikely_never_give_a_high_score(digits: Trained) -> None:
    """Where the labels of C are learnt with less confidence than right ones, as random ones are, the score is below 0.5 but
    falls with every step away from them; before, four fitted coefficients made it 0 or 1 at random."""
    scenario = digits.scenario
    logits, forget = observe(digits.original, digits.arena), digits.arena.corrupted.truth.forget_indices(1.0)
    shown = Evidence(scenario, digits.arena.corrupted, forget, logits)
    scores, given = [], digits.arena.corrupted.train.labels[forget]
    for penalty in (0.0, 2.0, 5.0, 10.0, 30.0):
        train = logits.train.clone()
        train[forget, given] -= penalty
        scores.append(measure(replace(shown, logits=replace(logits, train=train)), NAMES))
    for name in NAMES:
        values = [score[name] for score in scores]
        assert values == sorted(values, reverse=True), name
    assert scores[-1]["mia_auc"] < 0.01 < scores[0]["mia_auc"]
    assert scores[-1]["mia_confidence"] < 0.5


def test_too_few_known_examples_give_no_number() -> None:
    few = evidence(True)
    few = Evidence(few.scenario, few.corrupted, few.forget[:3], few.logits)
    assert measure(few, NAMES) == dict.fromkeys(NAMES)
