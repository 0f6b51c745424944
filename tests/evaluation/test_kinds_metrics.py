"""What is measured where labels are right, of several triggers and of attributes, by hand; what has no meaning is None."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from unlearn_core.corruption import ATTRIBUTE, FIRST_TRIGGER, MARKED, Corrupted, GroundTruth, Mark
from unlearn_core.datasets import LabelledData
from unlearn_core.evaluation import Evidence, Logits, calibration, measure, measured_for, membership, registry
from unlearn_core.presets import make_scenario
from unlearn_core.results.harm import small_in_words
from unlearn_core.specs import TriggerSpec

NAMES = ("a", "b", "c")
COMPARE = (
    "memorised", "memorised_known", "forget_accuracy", "mia_auc", "mia_tpr_at_1_fpr", "mia_confidence", "gap_retrain",
    "gap_oracle", "aus", "relearn_steps",
)  # fmt: skip
"""Metrics that compare given with right labels, or take F to carry wrong ones."""


def one_hot(predictions: list[int]) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(predictions), len(NAMES)).float()


def evidence(marks: tuple[Mark, ...], triggered: list[int], kinds: list[int], labels_right: bool = False) -> Evidence:
    """Six training examples, clean labels a b c a b c; 0 and 3 are corrupted, 0 is known. Test: a a b c, called a b b c."""
    images = torch.zeros(6, 1, 8, 8, dtype=torch.uint8)
    clean = torch.tensor([0, 1, 2, 0, 1, 2])
    given = clean if labels_right else torch.tensor([1, 1, 2, 2, 1, 2])
    truth = GroundTruth(torch.tensor([0, 3]), torch.tensor(kinds, dtype=torch.int8), clean)
    test = LabelledData(images[:4], torch.tensor([0, 0, 1, 2]), NAMES)
    tested = LabelledData(images[:1].expand(len(triggered), -1, -1, -1), torch.zeros(len(triggered), dtype=torch.long), NAMES)
    corrupted = Corrupted(LabelledData(images, given, NAMES), test, tested, truth, marks, labels_right)
    logits = Logits(one_hot(given.tolist()), one_hot([0, 1, 1, 2]), one_hot(triggered))
    references = dict.fromkeys(("original", "retrain", "oracle_retrain"), logits)
    return Evidence(
        make_scenario(overrides={"corruption.kind": "spurious"}),
        corrupted,
        torch.tensor([0]),
        logits,
        1.0,
        0.5,
        0.5,
        3,
        references,
    )


def test_where_labels_are_right_healed_is_measured_on_the_images_before_they_were_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the trigger on a a b c become a c a c: of those that are no a, b does. Without it 0 is recognised and 3 is not."""
    shown = evidence((Mark("trigger", TriggerSpec(), MARKED, 0),), [0, 2, 0, 2, 0, 2], [MARKED, MARKED], labels_right=True)
    values = measure(shown)
    assert values["attack_success"] == 0.5
    assert (values["healed"], values["healed_discovered"], values["healed_undiscovered"]) == (0.5, 1.0, 0.0)
    assert values["utility"] == 0.75
    assert values["healed_x_utility"] == 0.375
    monkeypatch.setattr(membership, "MIN_TARGETS", 1)
    assert measure(shown, COMPARE) == dict.fromkeys(COMPARE)
    wrong = dataclasses.replace(shown, corrupted=dataclasses.replace(shown.corrupted, labels_right=False))
    assert None not in measure(wrong, COMPARE).values()
    assert values["retain_accuracy"] == 1.0
    assert all("no value where the labels of C are right" in registry.get(name).formula for name in COMPARE if name != "aus")


def test_of_images_that_are_damaged_nothing_heals() -> None:
    values = measure(evidence((), [0, 0, 1, 2], [8, 8], labels_right=True))
    healed = ("healed", "healed_discovered", "healed_undiscovered", "healed_x_utility", "attack_success", "worst_group")
    assert {name: values[name] for name in (*healed, *COMPARE)} == dict.fromkeys((*healed, *COMPARE))
    assert values["utility"] == 0.75


def test_of_several_triggers_the_known_and_the_hidden_are_told_apart() -> None:
    """First trigger, asks for b: b c b c, of a a c one becomes b. Second, asks for c: c c c c, of a a b all do."""
    marks = tuple(Mark(f"trigger {k + 1}", TriggerSpec(), FIRST_TRIGGER + k, k + 1) for k in range(2))
    shown = evidence(marks, [1, 2, 1, 2, 2, 2, 2, 2], [FIRST_TRIGGER, FIRST_TRIGGER + 1])
    values = measure(shown)
    assert values["attack_success_known"] == 1 / 3
    assert values["attack_success_hidden"] == 1.0
    assert values["attack_success"] == 4 / 6
    assert values["healed"] == 0.0
    assert values["memorised"] == 1.0
    both = measure(dataclasses.replace(shown, forget=torch.tensor([0, 3])))
    assert (both["attack_success_known"], both["attack_success_hidden"]) == (4 / 6, None)
    alone = measure(evidence(marks[:1], [1, 2, 1, 2], [FIRST_TRIGGER, FIRST_TRIGGER]))
    assert (alone["attack_success_known"], alone["attack_success_hidden"]) == (None, None)


def test_the_worst_group_is_class_by_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the attribute a a b c are called a b b c; with it a a a c: the class b with the attribute is never recognised."""
    shown = evidence((Mark("attribute", TriggerSpec(), ATTRIBUTE),), [0, 0, 0, 2, 0, 1], [ATTRIBUTE] * 2, labels_right=True)
    assert measure(shown, ["worst_group"])["worst_group"] is None  # one or two test images of a class are no group
    monkeypatch.setattr(calibration, "LEAST", 1)
    values = measure(shown)
    assert values["worst_group"] == 0.0
    assert values["with_attribute"] == 0.75
    assert values["attack_success"] is None
    assert values["healed"] == 0.5
    better = dataclasses.replace(shown, logits=dataclasses.replace(shown.logits, triggered=one_hot([0, 0, 1, 2, 0, 0])))
    assert measure(better, ["worst_group"])["worst_group"] == 0.5  # a without it
    assert measure(evidence((), [0, 0, 1, 2], [0, 0]), ["worst_group", "with_attribute"]) == {
        "worst_group": None,
        "with_attribute": None,
    }


def test_a_group_counts_from_ten_examples_on() -> None:
    right, wrong = torch.ones(10, dtype=torch.bool), torch.zeros(9, dtype=torch.bool)
    assert calibration.worst_of([right, wrong]) == 1.0
    assert calibration.worst_of([right, torch.cat([wrong, wrong[:1]])]) == 0.0
    assert calibration.worst_of([wrong]) is None
    assert registry.get("worst_group").revision == 2  # what was stored before is not taken for this
    assert "10 test" in registry.get("worst_group").formula
    assert small_in_words({"a": 10, "b": 9, "c": 3}, 10).endswith("for want of 10 test examples: c 3, b 9.")
    assert small_in_words({"a": 10}, 10) == ""
    assert small_in_words({str(k): 1 for k in range(7)}, 10).endswith("and 2 more.")


def test_the_dial_is_not_measured_by_what_it_cannot_make() -> None:
    """What older runs hold stays as it is, and nothing is measured anew for them."""
    others = {"worst_group", "with_attribute", "attack_success_known", "attack_success_hidden"}
    assert not others & set(measured_for(make_scenario()))
    assert others <= set(measured_for(make_scenario(overrides={"corruption.kind": "spurious"})))
    shown = evidence((), [0, 0, 1, 2], [0, 0])
    assert others <= measure(shown).keys()
    assert not others & measure(dataclasses.replace(shown, scenario=make_scenario())).keys()
