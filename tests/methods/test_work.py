"""What a run of REM will take is counted before it runs, and a bound on it is kept."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.redirection.work import STEP, Setting, rem_work, widened_cost
from unlearn_core.models import RedirectNet, build_model
from unlearn_core.presets import make_method, make_scenario, preset_params
from unlearn_core.specs import ModelSpec
from unlearn_core.training import SilentReporter
from unlearn_core.views.text.expected_cost import cost_line, dear_sentences, expected_work


def test_a_masked_pass_counts_its_channels() -> None:
    model = build_model(ModelSpec(name="resnet9", params={"width": 0.125}), (3, 32, 32), 10, 0)
    example = torch.zeros(1, 3, 32, 32)
    assert widened_cost(model, example) == 1.0
    model.widen(1.0, 0)
    assert 3.5 < widened_cost(model, example) < 4.0  # twice in and out; the first layer only out
    assert not model.training or model.train()


@pytest.mark.parametrize("most_work", [0.0, 0.3, 0.1])
def test_rounds_are_cut_short_where_all_would_take_more(
    most_work: float, digits: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    rem, passes, forward = registry.get("rem"), [0.0], RedirectNet.features
    task = dataclasses.replace(digits.task(), recipe=digits.scenario.training.model_copy(update={"epochs": 20}))
    values = preset_params("rem", "digits") | {"most_work": most_work, "flush_passes": 0, "take_back": 0}
    model = build_model(digits.scenario.model, digits.arena.corrupted.train.shape, 10, 0)
    model.widen(1.0, 0)
    masked = widened_cost(model, task.data.batch(torch.tensor([0])))

    def counted(self: RedirectNet, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        passes[0] += len(x) * (STEP if torch.is_grad_enabled() else 1) * (1 if mask is None else masked)
        return forward(self, x, mask)

    monkeypatch.setattr(RedirectNet, "features", counted)
    params = rem.params(values)
    rem(params).run_single(task, SilentReporter())  # type: ignore[attr-defined]
    done = passes[0] / (STEP * 20 * len(task.data))
    expected = rem_work(params, Setting(task.recipe, len(task.data), masked))
    # What was counted before is what was done, up to the looks at F and at the original.
    assert done == pytest.approx(expected, abs=0.05)
    if most_work == 0.3:
        assert done < 0.36
    assert (done > 0.6) == (most_work == 0.0)


def test_what_costs_more_than_retraining_is_said_before() -> None:
    scenario = make_scenario("digits")
    specs = [make_method(name, scenario) for name in ("rem", "rem_discover", "npo", "retrain")]
    work = expected_work(scenario, specs)
    assert work["retrain"] == 1.0
    assert work["rem_discover"] > 4 * work["rem"] > 0.5
    sentences = dear_sentences(work | {"rem": 0.9})
    assert len(sentences) == 1
    assert sentences[0].startswith("REM + discovery is expected to take about")


def test_what_each_method_takes_is_said_from_stored_runs_or_counted() -> None:
    work = {"finetune": 0.1, "rem": 0.5, "retrain": 1.0}
    assert cost_line(work, {}, None) == "Counted, with training from scratch as 1: Fine-tune 0.1 · REM 0.5 · Retrain 1."
    assert (
        cost_line(work, {"rem": 2.0, "retrain": 6.0}, 6.0) == "Expected: Fine-tune 0.6 s (counted) · REM 2.0 s · Retrain 6.0 s."
    )
    mixed = cost_line(work, {"rem": 2.0}, None)
    assert mixed == "Expected: REM 2.0 s. Counted, with training from scratch as 1: Fine-tune 0.1 · Retrain 1."


def test_photographs_are_healed_for_less_than_retraining() -> None:
    preset = registry.get("rem").params(preset_params("rem", "images"))
    masked = 1.55  # a quarter as many channels
    for epochs, examples in ((8, 400), (15, 5000)):
        recipe = make_scenario("digits").training.model_copy(update={"epochs": epochs, "augment": False})
        assert rem_work(preset, Setting(recipe, examples, masked)) < 0.8
        discover = registry.get("rem_discover")
        params = discover.params(preset_params("rem_discover", "images"))
        assert discover.expected_work(params, Setting(recipe, examples, masked)) <= 6.0
