"""Metrics against numbers worked out by hand."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from trained import Trained

from unlearn_core.corruption import CONFUSION, RANDOM, TRIGGER, Corrupted, GroundTruth
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError
from unlearn_core.evaluation import Evidence, Logits, measure, observe, of_today, registry, revisions
from unlearn_core.presets import make_scenario


def one_hot(predictions: list[int]) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(predictions), 10).float()


def evidence(kinds: list[int], train_predictions: list[int], triggered: list[int] | None = None) -> Evidence:
    """Ten training examples, clean labels 0..9; 2, 4, 6, 8 are corrupted (given label 0); 4 and 8 are discovered."""
    given = torch.tensor([0, 1, 0, 3, 0, 5, 0, 7, 0, 9])
    names = tuple("0123456789")
    images = torch.zeros(10, 1, 8, 8, dtype=torch.uint8)
    truth = GroundTruth(torch.tensor([4, 8, 2, 6]), torch.tensor(kinds, dtype=torch.int8), torch.arange(10))
    test = LabelledData(images[:6], torch.tensor([0, 1, 2, 3, 5, 5]), names)
    corrupted = Corrupted(LabelledData(images, given, names), test, test, truth)
    logits = Logits(one_hot(train_predictions), one_hot([0, 1, 2, 5, 3, 5]), one_hot(triggered or [0, 0, 2, 0, 0, 5]))
    return Evidence(make_scenario(), corrupted, torch.tensor([4, 8]), logits, seconds=1.5, parameters_changed=0.25)


def test_every_number_by_hand() -> None:
    # Of C = {4, 8, 2, 6}: 4 and 2 are predicted as their clean label; 8 as given (0); 6 as something else (7).
    values = measure(evidence([TRIGGER] * 4, [0, 1, 2, 3, 4, 5, 7, 7, 0, 1]))
    assert values == {
        "healed": 0.5,
        "healed_discovered": 0.5,
        "healed_undiscovered": 0.5,
        "utility": pytest.approx(4 / 6),
        "healed_x_utility": pytest.approx(0.5 * 4 / 6),
        "forget_accuracy": 0.5,
        "retain_accuracy": pytest.approx(5 / 8),  # 0 1 3 5 7 fit; 2 and 6 (given 0) and 9 don't
        "attack_success": pytest.approx(3 / 5),  # of the five that aren't class 0
        "confused_accuracy": None,
        "seconds": 1.5,
        "parameters_changed": 0.25,
    } | {name: values[name] for name in values if name not in KNOWN}


KNOWN = {
    "healed", "healed_discovered", "healed_undiscovered", "utility", "healed_x_utility", "forget_accuracy",
    "retain_accuracy", "attack_success", "confused_accuracy", "seconds", "parameters_changed",
}  # fmt: skip


MEMORISED = ("memorised", "memorised_known")


def test_a_metric_without_meaning_is_none_never_a_default() -> None:
    values = measure(evidence([RANDOM] * 4, [0] * 10))
    assert values["attack_success"] is None
    assert values["confused_accuracy"] is None
    confusion = measure(evidence([CONFUSION] * 4, [0] * 10))
    assert confusion["confused_accuracy"] == pytest.approx(1 / 3)  # labels 3, 5, 5 predicted 5, 3, 5
    nothing_found = Evidence(**{**vars(evidence([RANDOM] * 4, [0] * 10)), "forget": torch.empty(0, dtype=torch.long)})
    assert measure(nothing_found)["healed_discovered"] is None
    assert measure(nothing_found)["forget_accuracy"] is None


def test_the_memorised_share_is_the_original_s_whatever_the_model_says() -> None:
    """Of C = {4, 8, 2, 6}, given label 0, the original predicts 4, 2 and 6 so, and of F = {4, 8} the first; the model none."""
    original = evidence([RANDOM] * 4, [0, 1, 0, 3, 0, 5, 0, 7, 8, 9]).logits
    after = evidence([RANDOM] * 4, list(range(10)))
    assert measure(after, MEMORISED) == dict.fromkeys(MEMORISED)  # without the original nothing is known
    shown = dataclasses.replace(after, references={"original": original})
    assert measure(shown, MEMORISED) == {"memorised": 0.75, "memorised_known": 0.5}
    itself = dataclasses.replace(shown, logits=original)
    assert measure(itself, MEMORISED) == {"memorised": 0.75, "memorised_known": 0.5}
    assert measure(itself, ["healed"]) == {"healed": 0.25}


def test_a_score_tells_which_of_its_forms_it_is() -> None:
    """Utility 4/6 after 5/6, forget accuracy 1/2: the class-removal form is (1 − 1/6) / (1 + 1/2)."""
    before = dataclasses.replace(evidence([RANDOM] * 4, [0] * 10).logits, test=one_hot([0, 1, 2, 3, 3, 5]))
    after = dataclasses.replace(evidence([RANDOM] * 4, [0, 1, 2, 3, 4, 5, 7, 7, 0, 1]), references={"original": before})
    assert measure(after, ["aus"])["aus"] == pytest.approx((1 - 1 / 6) / 1.5)
    assert "class" in registry.get("aus").label
    assert "form for samples" in " ".join(registry.get("aus").formula.split())
    assert "fewer than 128" in registry.get("relearn_steps").formula
    assert "Below 0.5" in registry.get("mia_confidence").formula


def test_what_was_measured_under_another_definition_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"utility": 0.9, "healed": 0.5}
    assert of_today(values, revisions()) == of_today(values, {}) == values
    monkeypatch.setattr(registry.get("healed"), "revision", 7)
    assert of_today(values, {}) == of_today(values, {"healed": 6}) == {"utility": 0.9}
    assert of_today(values, revisions()) == values
    assert revisions()["healed"] == 7


def test_every_metric_explains_itself() -> None:
    assert set(registry.names()) >= KNOWN
    for metric in registry:
        described = metric.describe()
        assert all(described[field] for field in ("name", "label", "formula", "direction", "split", "unit"))
        assert described["direction"] in ("higher", "lower", "none")


def test_outputs_that_are_no_logits_are_an_error_not_a_number(digits: Trained) -> None:
    class Broken(torch.nn.Module):
        def __init__(self, value: float, classes: int) -> None:
            super().__init__()
            self.value, self.classes = value, classes

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.full((len(x), self.classes), self.value)

    with pytest.raises(UserError, match="not finite"):
        observe(Broken(float("nan"), 10), digits.arena)
    with pytest.raises(UserError, match=r"shape \(1437, 3\) instead of \(1437, 10\)"):
        observe(Broken(0.0, 3), digits.arena)
