"""Flips, tug of war, recovered share, worst class, calibration, confusion: hand examples; and what weights do not show."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest
import torch
from test_metrics import evidence, one_hot
from trained import Trained

from unlearn_core.corruption import CONFUSION, RANDOM
from unlearn_core.evaluation import Evidence, measure, membership, observe, registry
from unlearn_core.evaluation.calibration import calibration_error
from unlearn_core.evaluation.confusion import swapped
from unlearn_core.evaluation.flips import flips
from unlearn_core.evaluation.recovered import product_error, recovered
from unlearn_core.evaluation.tug_of_war import tug_of_war
from unlearn_core.models.cnn import CnnNet
from unlearn_core.stages.unlearn import weight_changes

BEFORE, AFTER = torch.tensor([1, 1, 1, 0, 0]).bool(), torch.tensor([1, 0, 1, 1, 0]).bool()
NEEDS_ORIGINAL = ("negative_flips", "positive_flips", "negative_flips_named", "negative_flips_others", "recovered")


def shown(test: list[int], references: dict[str, list[int]], train: list[int] | None = None, kind: int = RANDOM) -> Evidence:
    """The evidence of ``test_metrics`` (test labels 0 1 2 3 5 5) with these predictions, and references with theirs."""
    base = evidence([kind] * 4, train or list(range(10)))
    given = base.corrupted.train.labels.tolist()
    others = {
        name: dataclasses.replace(base.logits, test=one_hot(said), train=one_hot(given)) for name, said in references.items()
    }
    return dataclasses.replace(base, logits=dataclasses.replace(base.logits, test=one_hot(test)), references=others)


def test_flips_by_hand() -> None:
    assert flips(BEFORE, AFTER) == (0.2, 0.2)
    assert flips(AFTER, BEFORE & AFTER) == (0.2, 0.0)
    assert flips(BEFORE[:0], AFTER[:0]) == (None, None)


def test_flips_add_up_to_the_change_of_utility_and_tell_classes_apart() -> None:
    """The original is right on 0, 1, 2 and the last 5; the model on 1, 2, 3 and 5: it lost class 0, which C is labelled as."""
    at = shown([9, 1, 2, 3, 9, 5], {"original": [0, 1, 2, 9, 9, 5]})
    found = measure(at, ["negative_flips", "positive_flips", "negative_flips_named", "negative_flips_others", "utility"])
    assert found["negative_flips"] == found["positive_flips"] == pytest.approx(1 / 6)
    assert found["negative_flips_named"] == 1.0
    assert found["negative_flips_others"] == 0.0
    before = measure(shown([0, 1, 2, 9, 9, 5], {}), ["utility"])["utility"]
    assert found["utility"] - before == pytest.approx(found["positive_flips"] - found["negative_flips"])
    assert set(measure(dataclasses.replace(at, references={}), NEEDS_ORIGINAL).values()) == {None}


def test_tug_of_war_by_hand() -> None:
    assert tug_of_war([(0.2, 0.3), (0.99, 1.0), (0.93, 0.94)]) == pytest.approx(0.9 * 0.99 * 0.99)
    assert tug_of_war([(0.5, 0.5)] * 3) == 1.0


def test_tug_of_war_counts_the_forget_set_by_given_labels_against_retraining_and_by_right_ones_against_the_oracle() -> None:
    """Both references fit every given label, F's wrong ones too. The model predicts all clean labels: of F = {4, 8} none as
    given, all right; outside F it departs on 2 and 6, two of eight."""
    at = shown([0, 1, 2, 3, 5, 5], {"retrain": [0, 1, 2, 3, 5, 5], "oracle_retrain": [0, 1, 2, 3, 5, 0]})
    found = measure(at, ["tow_retrain", "tow_oracle"])
    assert found["tow_retrain"] == pytest.approx((1 - 1.0) * (1 - 2 / 8) * 1)
    assert found["tow_oracle"] == pytest.approx((1 - 1.0) * (1 - 2 / 8) * (1 - 1 / 6))
    half = shown([0, 1, 2, 3, 5, 5], {"retrain": [0, 1, 2, 3, 5, 5], "oracle_retrain": [0] * 6}, [0, 1, 0, 3, 4, 5, 0, 7, 0, 9])
    assert measure(half, ["tow_retrain"])["tow_retrain"] == pytest.approx(0.5)  # F: 8 still as given, 4 not
    assert measure(dataclasses.replace(at, references={}), ["tow_retrain", "tow_oracle"]) == {
        "tow_retrain": None, "tow_oracle": None
    }  # fmt: skip


def test_tug_of_war_may_judge_the_forget_set_by_an_attack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retraining is as sure of F's given labels as of test images, AUC 0.5; the model calls them by their right ones, AUC 0."""
    monkeypatch.setattr(membership, "MIN_TARGETS", 1)
    at = shown([0, 1, 2, 3, 5, 5], {"retrain": [0, 1, 2, 3, 5, 5]})
    assert measure(at, ["mia_auc"])["mia_auc"] == 0.0
    there = at.of("retrain")
    assert there is not None
    assert measure(there, ["mia_auc"])["mia_auc"] == 0.5
    assert measure(at, ["tow_mia"])["tow_mia"] == pytest.approx((1 - 0.5) * (1 - 2 / 8) * 1)
    assert measure(dataclasses.replace(at, references={}), ["tow_mia"])["tow_mia"] is None
    monkeypatch.setattr(membership, "MIN_TARGETS", 3)
    assert measure(dataclasses.replace(at), ["tow_mia"])["tow_mia"] is None  # too few to attack


def test_the_recovered_share_by_hand_and_not_where_there_is_nothing_to_recover() -> None:
    assert recovered(0.769, 0.738, 0.879) == pytest.approx(0.22, abs=0.002)
    assert recovered(0.7, 0.738, 0.879) < 0
    assert product_error(0.5, 1.0, 100, 100) == pytest.approx(0.05)  # of 100 corrupted examples half: 0.5/√100
    given, clean = [0, 1, 0, 3, 0, 5, 0, 7, 0, 9], list(range(10))
    good = [0, 1, 2, 3, 5, 5]
    base = shown(good, {"original": good, "oracle_retrain": good}, [0, 1, 2, 3, 4, 5, 0, 7, 0, 9])
    oracle = dataclasses.replace(base.references["oracle_retrain"], train=one_hot(clean))
    clear = dataclasses.replace(base, references={**base.references, "oracle_retrain": oracle})
    assert measure(clear, ["recovered"])["recovered"] == pytest.approx(0.5)  # two of four healed, the oracle all, before none
    assert measure(base, ["recovered"])["recovered"] is None  # an "oracle" that is no better than the original
    three_of_four = dataclasses.replace(oracle, train=one_hot([*clean[:8], given[8], 9]))
    near = dataclasses.replace(clear, references={"original": three_of_four, "oracle_retrain": oracle})
    assert measure(near, ["recovered"])["recovered"] is None  # 1 against 3/4 of four examples: within two standard errors


def test_calibration_by_hand() -> None:
    """Two bins: four examples with confidence 0.9 of which three are right, six with 0.6 of which three are."""
    confidence = torch.tensor([0.9] * 4 + [0.6] * 6)
    right = torch.tensor([1, 1, 1, 0, 1, 1, 1, 0, 0, 0]).bool()
    assert calibration_error(confidence, right) == pytest.approx(0.12)
    assert calibration_error(confidence, right, bins=1) == pytest.approx(abs(0.6 - 0.72))  # one bin lets them cancel
    assert calibration_error(torch.ones(3), torch.ones(3).bool()) == 0.0
    assert calibration_error(confidence[:0], right[:0]) is None


def test_sharper_outputs_change_the_calibration_and_no_accuracy(digits: Trained) -> None:
    base = Evidence(digits.scenario, digits.arena.corrupted, torch.arange(5), observe(digits.original, digits.arena))
    loud = dataclasses.replace(base, logits=dataclasses.replace(base.logits, test=base.logits.test * 0.2))
    one, other = (measure(at, ["calibration_error", "utility", "worst_class"]) for at in (base, loud))
    assert other["calibration_error"] > one["calibration_error"] + 0.05
    assert (one["utility"], one["worst_class"]) == (other["utility"], other["worst_class"])
    assert 0 < one["worst_class"] < one["utility"]


def test_the_worst_class_is_the_lowest_of_those_with_enough_examples(digits: Trained) -> None:
    data, labels = digits.arena.corrupted, digits.arena.corrupted.test.labels
    said = torch.where((labels == 3) & (torch.arange(len(labels)) % 2 == 0), 8, labels)
    base = observe(digits.original, digits.arena)
    at = Evidence(digits.scenario, data, torch.arange(5), dataclasses.replace(base, test=one_hot(said.tolist())))
    wrong = float(((said != labels) & (labels == 3)).sum() / (labels == 3).sum())
    assert measure(at, ["worst_class"])["worst_class"] == pytest.approx(1 - wrong)
    few = evidence([RANDOM] * 4, [0] * 10)
    assert measure(few, ["worst_class"])["worst_class"] is None  # one or two test examples of each class


def test_interclass_confusion_by_hand() -> None:
    """Rows a: 90 a, 8 b, 2 other; b: 5 a, 93 b, 2 other."""
    labels = torch.tensor([0] * 100 + [1] * 100 + [2] * 50)
    said = torch.tensor([0] * 90 + [1] * 8 + [2] * 2 + [0] * 5 + [1] * 93 + [2] * 2 + [0] * 50)
    found = swapped(said, labels, (0, 1))
    assert (len(found), int(found.sum())) == (200, 13)
    at = shown([0, 1, 2, 5, 3, 5], {}, kind=CONFUSION)  # classes 3 and 5: labels 3, 5, 5 predicted 5, 3, 5
    assert measure(at, ["interclass_confusion"])["interclass_confusion"] == pytest.approx(2 / 3)
    assert measure(shown([0, 1, 2, 5, 3, 5], {}), ["interclass_confusion"])["interclass_confusion"] is None


def test_a_rewriting_that_changes_no_output_changes_the_weight_distance_and_no_functional_metric(digits: Trained) -> None:
    """A channel times a, and what reads it times 1/a: the batch norm after the convolution absorbs the first, its own scale
    and shift times a are undone by the next layer."""
    rewritten = copy.deepcopy(digits.original)
    before = {name: value.clone() for name, value in digits.original.state_dict().items()}
    rescale(rewritten, 3.0)
    changed, distance = weight_changes(rewritten, before)
    assert changed > 0.5
    assert distance > 0.5
    forget = digits.arena.corrupted.truth.forget_indices(0.5)
    original = observe(digits.original, digits.arena)
    values: list[dict[str, Any]] = []
    for model in (digits.original, rewritten):
        logits = observe(model, digits.arena)
        at = Evidence(digits.scenario, digits.arena.corrupted, forget, logits, references={
            "original": original, "retrain": original, "oracle_retrain": original
        })  # fmt: skip
        values.append(measure(at))
    known = [name for name, value in values[0].items() if value is not None]
    assert len(known) > 15
    for name in known:
        assert values[1][name] == pytest.approx(values[0][name], abs=1e-5), name
    assert {"weight_distance", "parameters_changed"}.isdisjoint(known)  # these are of weights
    assert "1e-5" in note_of("weight_distance")


def rescale(model: CnnNet, by: float) -> None:
    """Scale whole convolutions, which their batch norms absorb, and channels, which the layers that read them undo."""
    readers = [*list(model.layers)[1:], model.head]
    with torch.no_grad():
        for layer, norm, reader in zip(model.layers, model.norms, readers, strict=True):
            layer.weight *= by
            if layer.bias is not None:
                layer.bias *= by
            norm.base.running_mean *= by
            norm.base.running_var.copy_(by**2 * (norm.base.running_var + norm.base.eps) - norm.base.eps)
            half, places = layer.weight.shape[0] // 2, reader.weight.shape[1] // layer.weight.shape[0]
            norm.base.weight[:half] *= by
            norm.base.bias[:half] *= by
            reader.weight[:, : half * places] /= by


def note_of(metric: str) -> str:
    """What the metric's page says of it."""
    from benchmarks.report.site.metrics import page

    return page(registry.get(metric))
