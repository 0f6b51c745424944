"""A thrifty search makes fewer, shorter and softer runs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.redirection import search
from unlearn_core.methods.redirection.params import RemParams
from unlearn_core.methods.redirection.search import DiscoverParams, Discovery, discovery_steps
from unlearn_core.methods.redirection.work import masked_cost, whole_rounds
from unlearn_core.presets import preset_params
from unlearn_core.training import SilentReporter
from unlearn_core.training.progress import ProgressBudget


def runs_of(points: Trained, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[float]:
    """The weight of the removal in every run of one round, each of which loses a class."""
    method, weights = registry.get("rem_discover"), list[float]()
    params = method.params(preset_params("rem_discover", "waves") | {"rounds": 1, "folds": 3} | changes)
    usual = search.run_single_rem
    monkeypatch.setattr(
        search, "run_single_rem", lambda v, task, r: (weights.append(v["forget_weight"]), usual(v | {"epochs": 1}, task, r))[1]
    )
    monkeypatch.setattr(search, "class_collapsed", lambda *given: True)
    task = points.task()
    Discovery(params, task, ProgressBudget(SilentReporter(), discovery_steps(params, task))).run()
    return weights


def test_a_thrifty_search_is_softer_once_a_class_was_lost(points: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        full, third, *others = runs_of(points, patch)
    assert third == full / 3
    assert others == [full, third, full, third]
    with monkeypatch.context() as patch:
        assert runs_of(points, patch, thrifty=True) == [full, third, third, third]


def test_rounds_that_work_would_cut_short_are_joined(points: Trained) -> None:
    task = dataclasses.replace(points.task(), recipe=points.scenario.training.model_copy(update={"epochs": 8}))
    examples = len(task.data)
    masked = masked_cost(task, 1.0)
    # A round of an epoch, a look at all that is retained, and before the first one the losses of the start.
    around, whole = examples * (1 + masked), min(2048, len(task.retain)) + -(-examples // 64) * 64 * (1 + masked) * 3
    training = 3.0 * 8 * examples

    def rounds(work: float) -> int:
        return whole_rounds(RemParams(epochs=4, batch_size=64, most_work=work), task)

    assert rounds(0.0) == 4
    assert rounds((around + 2.3 * whole) / training) == 2
    assert rounds((around + 0.4 * whole) / training) == 1
    assert rounds(100.0) == 4


def test_no_round_starts_that_would_take_too_long(points: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    method = registry.get("rem_discover")
    values = preset_params("rem_discover", "waves") | {"rounds": 3, "folds": 2, "thrifty": True}
    params: DiscoverParams = method.params(values)

    class Unsettled(Discovery):
        """One that never has enough."""

        def views(self, added: torch.Tensor, number: int) -> Any:
            return super().views(added[:0], 0)

    monkeypatch.setattr(search, "_overlap", lambda one, two: 0.0)
    found = {}
    for most in (1e-6, 1e6):
        monkeypatch.setattr(search, "MOST_TRAININGS", most)
        task = points.task()
        found[most] = Unsettled(params, task, ProgressBudget(SilentReporter(), discovery_steps(params, task))).run()
    assert (len(found[1e-6].rounds), len(found[1e6].rounds)) == (2, 3)
    assert "too long" in found[1e-6].stopped


def test_only_photographs_are_searched_thriftily_and_keys_of_others_stay() -> None:
    method = registry.get("rem_discover")
    assert "thrifty" not in method.full_params(preset_params("rem_discover", "digits"))
    assert method.full_params(preset_params("rem_discover", "images"))["thrifty"] is True
    assert "thrifty" not in method.full_params(preset_params("rem_discover", "images", augment=True))
