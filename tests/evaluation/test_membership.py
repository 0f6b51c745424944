"""Membership inference: features by hand, and attacks that succeed and fail where they must."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from unlearn_core.corruption import Corrupted, GroundTruth
from unlearn_core.datasets import LabelledData
from unlearn_core.evaluation import Evidence, Logits, measure
from unlearn_core.evaluation.membership import _best_threshold, attack_features
from unlearn_core.presets import make_scenario

NAMES = ("mia_auc", "mia_tpr_at_1_fpr", "mia_confidence")


def test_features_by_hand() -> None:
    p = [0.7, 0.2, 0.1]
    features = attack_features(torch.tensor([p]).log(), torch.tensor([1]))[0]
    modified = -(1 - 0.2) * math.log(0.2) - 0.7 * math.log(1 - 0.7) - 0.1 * math.log(1 - 0.1)
    expected = [math.log(0.2 / 0.8), -math.log(0.2), -sum(q * math.log(q) for q in p), modified]
    np.testing.assert_allclose(features, expected, rtol=1e-5)


def test_the_threshold_is_the_best_of_all() -> None:
    members, strangers = np.array([3.0, 4, 5, 1]), np.array([0.0, 1, 2, 3.5])
    best = _best_threshold(members, strangers)

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


def test_too_few_known_examples_give_no_number() -> None:
    few = evidence(True)
    few = Evidence(few.scenario, few.corrupted, few.forget[:3], few.logits)
    assert measure(few, NAMES) == dict.fromkeys(NAMES)
