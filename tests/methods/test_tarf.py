"""TARF: hand examples of its gate and of its fading ascent, and what is held back from repair."""

from __future__ import annotations

import pytest
import torch
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.ascent.tarf import calm, faded
from unlearn_core.training import SilentReporter


def test_the_raised_loss_fades_out() -> None:
    assert [faded(0.2, step, 10) for step in (0, 5, 10, 20)] == [0.2, 0.1, 0.0, 0.0]


def test_what_lost_most_with_f_is_held_back() -> None:
    before, after = torch.tensor([0.1, 0.1, 0.2, 0.3]), torch.tensor([0.1, 2.0, 0.3, 0.2])
    ids = torch.tensor([4, 7, 8, 9])
    assert calm(ids, after - before, 0.25).tolist() == [4, 8, 9]
    assert calm(ids, after - before, 0.0).tolist() == [4, 7, 8, 9]
    assert calm(ids, before - after, 0.25).tolist() == [4, 7, 8]  # a loss that fell is no reaction


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_it_reports_how_many_it_held_back(share: float, points: Trained) -> None:
    method, task = registry.get("tarf"), points.task()
    model = method(method.params({"epochs": 1, "held_back": share})).unlearn(task, SilentReporter())
    assert model.report["held_back"] == int(share * len(task.retain) + 0.5)  # type: ignore[index]
