"""Self-tuned REM: what is changed has proved itself twice, and the last run is REM's own."""

from __future__ import annotations

import pytest
import torch
from trained import Trained

from unlearn_core.methods import registry
from unlearn_core.presets import preset_params
from unlearn_core.training import SilentReporter, predict
from unlearn_core.tuning.held_out import Trial, select_best


def trial(name: str, healed: list[float], retain: float = 0.9) -> Trial:
    return Trial({"name": name}, torch.tensor(healed), retain)


DIVERGED = trial("start", [float("nan")] * 4)
START = trial("start", [0.5, 0.4, 0.6, 0.5])
BETTER, LITTLE, WORSE = (
    trial("better", [0.8, 0.9, 0.7, 0.9]),
    trial("little", [0.9, 0.1, 0.9, 0.3]),
    trial("worse", [0.1, 0.2, 0.1, 0.2]),
)


@pytest.mark.parametrize(
    ("trials", "second", "chosen", "looks"),
    [
        ([START, LITTLE, WORSE], {}, "start", []),
        ([START, LITTLE, BETTER, WORSE], {"start": START, "better": BETTER}, "better", ["start", "better"]),
        ([START, LITTLE, BETTER, WORSE], {"start": START, "better": LITTLE}, "start", ["start", "better"]),
        ([START, BETTER], {"start": BETTER, "better": BETTER}, "start", ["start", "better"]),
        ([START, trial("breaks", [1.0, 1.0, 1.0, 1.0], 0.3)], {}, "start", []),
        ([DIVERGED, BETTER], {"start": DIVERGED, "better": BETTER}, "better", ["start", "better"]),
        ([DIVERGED, BETTER], {"start": START, "better": LITTLE}, "start", ["start", "better"]),
    ],
)
def test_a_change_has_to_be_better_twice(trials: list[Trial], second: dict[str, Trial], chosen: str, looks: list[str]) -> None:
    asked: list[str] = []

    def again(one: Trial) -> Trial:
        asked.append(one.params["name"])
        return second[one.params["name"]]

    best, found = select_best(trials, again)
    assert best.params["name"] == chosen
    assert asked == looks
    assert len(found) == len(looks)


def test_what_loses_a_class_or_diverges_is_worth_nothing() -> None:
    fine = trial("fine", [0.2, 0.3, 0.2, 0.3])
    lost = Trial({}, torch.ones(4), 0.9, lost=True)
    assert (lost.score, DIVERGED.score) == (0, 0)
    for other in (lost, DIVERGED):
        assert fine.significantly_better(other)
        assert not other.significantly_better(fine)


@pytest.mark.parametrize("tries", [0, 2])
def test_the_outcome_is_rem_with_what_was_chosen(tries: int, points: Trained) -> None:
    values = preset_params("rem", "waves")
    rem, tuned = registry.get("rem"), registry.get("rem_tuned")
    model = tuned(tuned.params(values | {"tries": tries})).unlearn(points.task(), SilentReporter())
    report = model.report["tuning"]  # type: ignore[index]
    assert len(report["tried"]) == (tries + 2 if tries else 0)
    assert tries or not report["changed"]
    expected = rem(rem.params(values | report["changed"])).unlearn(points.task(), SilentReporter())
    data = points.arena.train
    assert torch.equal(predict(model, data), predict(expected, data))
