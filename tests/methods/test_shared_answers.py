"""Runs inside a search share what the original says, to the bit."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.methods.redirection import search
from unlearn_core.presets import preset_params
from unlearn_core.training import Answers, SilentReporter, predict
from unlearn_core.training import answers as answers_module

SHORT = {"rounds": 2, "folds": 2}


def test_each_example_is_asked_for_once(points: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    data, asked = points.arena.train, list[int]()
    usual = answers_module.predict
    monkeypatch.setattr(answers_module, "predict", lambda m, d, ids: (asked.append(len(ids)), usual(m, d, ids))[1])
    answers, ids = Answers(points.original, data), torch.arange(0, 40, 2)
    logits = predict(points.original, data)
    assert torch.equal(answers.classes(ids), logits[ids].argmax(1))
    assert torch.equal(answers.classes(torch.arange(30)), logits[:30].argmax(1))
    assert asked == [20, 15]
    right = (logits[ids].argmax(1) == data.labels[ids]).float().mean().item()
    assert answers.accuracy(ids) == right
    known = Answers(points.original, data, logits)
    assert torch.equal(known.classes(ids), answers.classes(ids))
    assert torch.equal(known.losses, F.cross_entropy(logits, data.labels, reduction="none"))  # type: ignore[arg-type]
    assert asked == [20, 15]


@pytest.mark.parametrize("name", ["rem_discover", "rem_tuned"])
def test_what_is_shared_changes_nothing(name: str, points: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearn_core.methods.redirection import self_tuning

    def outcome() -> tuple[dict[str, torch.Tensor], Any]:
        method = registry.get(name)
        values = preset_params(name, "waves") | (SHORT if name == "rem_discover" else {"tries": 2})
        model = method(method.params(values)).unlearn(points.task(), SilentReporter())
        return model.state_dict(), model.report

    shared = outcome()
    single, whole = search.run_single_rem, self_tuning.run_rem
    monkeypatch.setattr(search, "run_single_rem", lambda v, task, r: single(v, dataclasses.replace(task, answers=None), r))
    monkeypatch.setattr(self_tuning, "run_rem", lambda v, task, r: whole(v, dataclasses.replace(task, answers=None), r))
    apart = outcome()
    assert all(torch.equal(value, apart[0][key]) for key, value in shared[0].items())
    assert shared[1] == apart[1]
