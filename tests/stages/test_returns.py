"""Stored models trained further: what the hidden corruption teaches again, and what a run's own finds keep out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.evaluation import load_scenario_data
from unlearn_core.evaluation.returning import Course
from unlearn_core.methods import Method, OracleTask, UnlearningTask, registry
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import returns as stored
from unlearn_core.results.measured import run_metrics
from unlearn_core.results.reader import model_of
from unlearn_core.specs import Scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.recorder import Recorder
from unlearn_core.stages.returns import plan_returns, usual_courses, way_between
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import Reporter, SilentReporter, Trainer

TASK = make_scenario("digits", regularity=1.0, discovery=0.3, overrides={"training.epochs": 6, "model.width": 8})
COURSES = [Course(data, epochs=3) for data in ("left", "retain", "clean")]


class Finder(Method):
    """Trained without all of C, and reports the rest of C as found, or in doubt: what a perfect discovery would do."""

    name, label, paper, family, summary = "dummy_finder", "Finder", "nobody", "retraining", "Finds. Everything."
    oracle, ranks = True, True

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        assert isinstance(task, OracleTask)
        everyone = task.truth.corrupted
        rest = everyone[~torch.isin(everyone, task.forget)].tolist()
        kept = torch.ones(len(task.data), dtype=torch.bool)
        kept[everyone] = False
        model = task.fresh_model(task.seed + 1)
        Trainer(model, task.data, task.recipe, task.seed + 1, reporter).fit(kept.nonzero()[:, 0])
        add_report(model, discovery={"added": [{"index": k} for k in rest[:40]], "left_out": rest[40:]})
        return model


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    registry.register(Finder)
    yield
    registry.remove(Finder.name)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An oracle and the finder, which is the same network with a report, trained further on every course."""
    place = Store.open(tmp_path_factory.mktemp("returns"))
    compute(place, plan_returns(TASK, specs(), COURSES, barrier=True))
    return place


def specs(scenario: Scenario = TASK) -> list[Any]:
    return [make_method(name, scenario) for name in ("oracle_retrain", "dummy_finder")]


def compute(place: Store, stages: list[Any]) -> None:
    for stage in stages:
        if place.get(stage.key) is None:
            run_stage(stage, place, "cpu", SilentReporter())


def at(frame: Any, method: str, data: str, metric: str) -> list[float]:
    part = frame[(frame["method"] == method) & (frame["data"] == data)]
    return list(part[metric])


def test_the_undiscovered_teach_the_rule_again_unless_they_are_left_out(store: Store) -> None:
    frame = stored.courses(store, TASK, specs(), COURSES)
    taught, clean = (at(frame, "oracle_retrain", data, "attack_success") for data in ("left", "clean"))
    assert taught[0] == clean[0] < 0.1
    assert taught[-1] > 0.5 > 0.1 > clean[-1]
    healed = at(frame, "oracle_retrain", "left", "healed_x_utility")
    assert healed[0] > 0.9
    assert healed[-1] < 0.6
    assert at(frame, "oracle_retrain", "clean", "healed_x_utility")[-1] > 0.9
    assert at(frame, "oracle_retrain", "left", "fit")[-1] > 0.3  # F is never shown, and its labels return


def test_what_a_run_found_is_left_out_as_its_user_would(store: Store) -> None:
    frame = stored.courses(store, TASK, specs(), COURSES)
    assert at(frame, "dummy_finder", "left", "healed_x_utility")[-1] > 0.9
    assert at(frame, "dummy_finder", "retain", "healed_x_utility")[-1] < 0.6
    first = frame.drop_duplicates(["method", "data"]).set_index(["method", "data"])
    hidden = len(load_scenario_data(TASK).corrupted.truth.corrupted) - len(forget())
    assert first.loc[("dummy_finder", "left"), "left_out"] == hidden
    assert first.loc[("dummy_finder", "retain"), "left_out"] == first.loc[("oracle_retrain", "left"), "left_out"] == 0
    assert first.loc[("dummy_finder", "left"), "trained_on"] == first.loc[("dummy_finder", "clean"), "trained_on"]
    assert ("oracle_retrain", "retain") not in first.index  # the same as what is left: planned and stored once
    assert list(first["knows_truth"]) == [data == "clean" for _, data in first.index]


def forget() -> torch.Tensor:
    return load_scenario_data(TASK).corrupted.truth.forget_of(TASK)


def test_the_table_says_what_was_lost(store: Store) -> None:
    frame = stored.courses(store, TASK, specs(), COURSES)
    after = stored.afterwards(frame).set_index("method")
    oracle, finder = after.loc["oracle_retrain"], after.loc["dummy_finder"]
    assert oracle["lost"] == pytest.approx(oracle["now"] - oracle["after"])
    assert oracle["lost"] > 0.3 > 0.1 > abs(finder["lost"])
    assert oracle["without_undiscovered"] > 0.9
    assert oracle["attack_after"] > oracle["attack_now"]
    assert oracle["returned"] == pytest.approx(at(frame, "oracle_retrain", "left", "fit")[-1])
    assert stored.afterwards(frame, epochs=9).empty  # nobody has trained that long


def test_a_course_begins_with_the_stored_model_and_holds_every_shorter_one(store: Store) -> None:
    spec = specs()[0]
    record = store.get(TASK.run_key(spec))
    assert record is not None
    shorter = Course("left", epochs=1)
    compute(store, plan_returns(TASK, [spec], [shorter]))
    long, short = (stored.courses(store, TASK, [spec], [one]) for one in (COURSES[0], shorter))
    for metric in ("healed", "utility", "attack_success", "retain_accuracy"):
        assert long[metric].iloc[0] == record.payload["metrics"][metric]
        assert list(short[metric]) == list(long[metric])[:2]
    faster = Course("left", epochs=1, rate=1.0)
    compute(store, plan_returns(TASK, [spec], [faster]))
    assert stored.courses(store, TASK, [spec], [faster])["fit"].iloc[1] > short["fit"].iloc[1]


def test_examples_that_are_shown_again_bring_the_others_back(store: Store) -> None:
    spec = specs()[1]
    courses = [Course("left", count, epochs=3, rate=0.5) for count in (0, 20)]
    compute(store, plan_returns(TASK, [spec], courses))
    never, some = (stored.courses(store, TASK, [spec], [one])["fit"].iloc[-1] for one in courses)
    assert some > never + 0.1


def test_the_way_to_itself_is_flat_and_to_another_training_it_is_not(store: Store) -> None:
    data = load_scenario_data(TASK)
    original, oracle = model_of(store, TASK), model_of(store, TASK, specs()[0])
    before = {name: value.clone() for name, value in original.state_dict().items()}
    quiet, ids = Recorder(SilentReporter()), torch.arange(256)
    itself = way_between(original, original, data, ids, quiet)
    assert len({round(point["loss"], 5) for point in itself}) == 1
    there, back = way_between(oracle, original, data, ids, quiet), way_between(original, oracle, data, ids, quiet)
    assert [p["loss"] for p in there] == pytest.approx([p["loss"] for p in reversed(back)], rel=1e-3)
    assert all(torch.equal(value, before[name]) for name, value in original.state_dict().items())
    found = stored.barriers(store, TASK, specs()[:1])
    assert found["barrier"].iloc[0] > 0.3
    assert (found["place"].iloc[0], found["place"].iloc[-1]) == (0.0, 1.0)
    assert found["loss"].max() > max(found["loss"].iloc[0], found["loss"].iloc[-1])


def test_what_cannot_be_followed_is_said_before_anything_runs() -> None:
    with pytest.raises(UserError, match="at most 25"):
        plan_returns(TASK, specs(), [Course("left", 26)])
    plans = plan_returns(TASK, specs(), usual_courses(TASK, specs()))
    assert [stage.kind for stage in plans].count("returns") == 5
    assert len({stage.key for stage in plans}) == len(plans)
    assert {stage.key for stage in plan_runs(TASK, specs())} < {stage.key for stage in plans}
    again = plan_returns(TASK, specs(), [replace(course, rate=0.2) for course in usual_courses(TASK, specs())])
    assert not {s.key for s in again if s.kind == "returns"} & {s.key for s in plans if s.kind == "returns"}


def test_a_run_that_was_stored_without_the_new_metrics_has_them_from_its_outputs(store: Store) -> None:
    spec = specs()[0]
    record = store.get(TASK.run_key(spec))
    assert record is not None
    names = ("negative_flips", "positive_flips", "worst_class", "calibration_error", "tow_oracle", "recovered")
    older = {name: value for name, value in record.payload["metrics"].items() if name not in names}
    now = run_metrics(store, TASK, spec, record.payload | {"metrics": older})
    for name in ("negative_flips", "positive_flips", "worst_class", "calibration_error"):
        assert now[name] == record.payload["metrics"][name] is not None
    assert record.payload["metrics"]["tow_oracle"] is None  # the run was measured before the oracle was there: it is that
    assert now["tow_oracle"] == now["recovered"] == 1.0
