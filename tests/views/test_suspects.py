"""Suspects: read back from a stored discovery as it was found, with the truth beside it, and what an edit changes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unlearn_core.forget_sets import ForgetSet
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import scenario_data
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.suspects import data as look
from unlearn_core.views.suspects import forget_set_edits as edits

SCENARIO = make_scenario("blobs", regularity=1.0, amount=60, discovery=0.5, overrides={"training.epochs": 12})
SPEC = make_method("rem_discover", SCENARIO, {"rounds": 1, "folds": 3})


def compute(store: Store, scenario: Any, specs: list[Any]) -> None:
    for stage in plan_runs(scenario, specs):
        if not store.has([stage.key]):
            run_stage(stage, store, "cpu", SilentReporter())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store.open(tmp_path_factory.mktemp("store"))
    compute(made, SCENARIO, [SPEC, make_method("rem", SCENARIO)])
    return made


def test_the_table_says_what_was_stored(store: Store) -> None:
    found = look.open_suspects(store, SCENARIO, SPEC)
    arrays = store.arrays(SCENARIO.run_key(SPEC), "report")
    truth = scenario_data(SCENARIO).corrupted.truth
    forget = truth.forget_of(SCENARIO).tolist()
    assert found.forget == tuple(forget)
    assert found.table["index"].tolist() == arrays["suspects"].tolist()
    assert found.table["rank"].tolist() == list(range(1, len(found) + 1))
    assert not set(found.table["index"]) & set(forget)
    assert (found.table["score"].diff().dropna() <= 1e-12).all()
    first = int(found.table["index"].iloc[0])
    names = scenario_data(SCENARIO).corrupted.train.class_names
    assert found.table["says"].iloc[0] == names[int(arrays["says"][first])]
    evidence = found.evidence(first)
    assert evidence["weight"].is_monotonic_decreasing
    assert evidence["weight"].sum() == pytest.approx(1)
    assert evidence["value"].iloc[0] == arrays[f"score:{evidence['name'].iloc[0]}"][first]
    assert evidence["label"].str.len().min() > 3
    with pytest.raises(LookupError):
        found.evidence(forget[0])


def test_the_truth_beside_the_estimate_is_counted(store: Store) -> None:
    found = look.open_suspects(store, SCENARIO, SPEC)
    corrupted = set(scenario_data(SCENARIO).corrupted.truth.corrupted.tolist())
    for count in (1, 7, 30, len(found)):
        taken = found.table["index"].head(count)
        right = sum(index in corrupted for index in taken)
        row = found.at(count)
        assert row["true_precision"] == pytest.approx(right / count)
        assert row["true_recall"] == pytest.approx(right / 30)
    assert math.isnan(found.at(0)["precision"])
    assert math.isnan(found.at(10**9)["true_precision"])


def test_the_threshold_starts_where_the_target_is_met(store: Store) -> None:
    found = look.open_suspects(store, SCENARIO, SPEC)
    assert found.state == "judged"
    assert found.start() == found.accept_count(SPEC.params["precision"]) > 0
    row = found.at(found.start())
    assert row["precision"] >= 0.9
    assert row["precision_low"] <= row["precision"] <= row["precision_high"]
    assert row["threshold"] == pytest.approx(found.table["score"].iloc[found.start() - 1])
    assert found.accept_count(0.5) >= found.accept_count(0.9) >= found.accept_count(0.999)


def test_the_course_has_a_row_for_each_round(store: Store) -> None:
    course = look.open_suspects(store, SCENARIO, SPEC).course()
    assert course["round"].tolist() == [1]
    assert course["found"].iloc[0] > 0.7
    assert course["taken"].iloc[0] == course["new"].iloc[0] > 0


def test_without_discovery_there_are_no_suspects(store: Store) -> None:
    for spec in (make_method("rem", SCENARIO), make_method("finetune", SCENARIO)):
        with pytest.raises(LookupError):
            look.open_suspects(store, SCENARIO, spec)


def test_too_little_known_is_ranked_only(store: Store) -> None:
    few = SCENARIO.knowing(scenario_data(SCENARIO).corrupted.truth.corrupted[:3].tolist())
    compute(store, few, [SPEC])
    found = look.open_suspects(store, few, SPEC)
    assert (found.state, len(found.curve), found.accept_count(0.5)) == ("ranked", 0, 0)
    assert found.table["probability"].isna().all()
    assert found.start() == look.SHOWN
    assert not math.isnan(found.at(10)["true_precision"])
    assert math.isnan(found.at(10)["precision"])


def test_an_edit_is_measured_against_what_was_before(store: Store) -> None:
    found = look.open_suspects(store, SCENARIO, SPEC)
    more = sorted([*found.forget, *found.table["index"].head(10).tolist()])
    edited = SCENARIO.knowing(more)
    rem = make_method("rem", SCENARIO)
    assert edits.changed(store, SCENARIO, edited, [rem, SPEC]).empty
    compute(store, edited, [SPEC, rem])
    frame = edits.changed(store, SCENARIO, edited, [rem, SPEC])
    assert frame["method"].tolist() == ["rem"] * 3 + ["rem_discover"] * 3
    stored = store.get(edited.run_key(rem)).payload["metrics"]
    assert frame.set_index(["method", "metric"]).loc[("rem", "healed"), "after"] == stored["healed"]
    again = look.open_suspects(store, edited, SPEC)
    upcoming = edits.next_suspects(found, again, 5)
    assert not set(upcoming["index"]) & set(more)
    ranks = dict(zip(found.table["index"], found.table["rank"], strict=True))
    assert upcoming["before"].tolist() == [ranks[index] for index in upcoming["index"]]
    # A false accusation that was taken back was no suspect before.
    back = edits.next_suspects(again, found, len(found))
    assert int(np.isnan(back["before"]).sum()) == 10


def test_the_truth_about_a_set(store: Store) -> None:
    truth = scenario_data(SCENARIO).corrupted.truth
    clean = sorted(set(range(200)) - set(truth.corrupted.tolist()))[:2]
    assert edits.set_counts(SCENARIO, [*truth.corrupted[:5].tolist(), *clean]) == {
        "size": 7,
        "right": 5,
        "wrong": 2,
        "left": 55,
    }


def test_costs_are_learned_from_what_was_run(store: Store, tmp_path: Path) -> None:
    rem = make_method("rem", SCENARIO)
    assert edits.expected_seconds(Store.open(tmp_path), SCENARIO, [rem]) is None
    known = Store.open(tmp_path / "known")
    spec = {"scenario": SCENARIO.model_dump(mode="json"), "method": rem.model_dump(mode="json")}
    known.put(SCENARIO.run_key(rem), "run", spec, {"metrics": {"seconds": 2.0}, "seconds": 2.0}, {})
    assert edits.expected_seconds(known, SCENARIO, [rem]) == 2.0
    assert edits.expected_seconds(known, SCENARIO, [rem, SPEC]) == pytest.approx(2 + 2 * (0.75 * 3 + 1))
    assert edits.expected_seconds(known, SCENARIO, [make_method("retrain", SCENARIO)]) is None


def test_of_a_clean_set_nothing_is_taken(store: Store) -> None:
    corrupted = set(scenario_data(SCENARIO).corrupted.truth.corrupted.tolist())
    pool = np.array([index for index in range(len(scenario_data(SCENARIO).train)) if index not in corrupted])
    accused = SCENARIO.knowing(np.random.default_rng(0).choice(pool, 30, replace=False).tolist())
    compute(store, accused, [SPEC])
    found = look.open_suspects(store, accused, SPEC)
    assert found.accept_count(0.9) == 0
    assert not found.table["added"].any()
    assert found.sentence.endswith(".")
    assert found.start() == 0


def test_false_accusations_stand_out(store: Store) -> None:
    corrupted = scenario_data(SCENARIO).corrupted.truth.corrupted.tolist()
    pool = np.array([index for index in range(len(scenario_data(SCENARIO).train)) if index not in set(corrupted)])
    wrong = np.random.default_rng(1).choice(pool, 4, replace=False).tolist()
    mixed = SCENARIO.knowing([*corrupted[:30], *wrong])
    compute(store, mixed, [SPEC])
    found = look.open_suspects(store, mixed, SPEC)
    rows = edits.doubted(found, found.forget)
    assert set(rows["index"]) == set(found.forget)
    assert len(found.everyone) == len(scenario_data(SCENARIO).train)
    assert found.state == "judged"
    assert rows["probability"].is_monotonic_increasing
    assert len(set(rows["index"].head(6)) & set(wrong)) >= 3


def test_both_sides_of_a_threshold(store: Store) -> None:
    found = look.open_suspects(store, SCENARIO, SPEC)
    above, below = edits.sides(found.table, 5)
    assert (above["rank"].tolist(), below["rank"].tolist()) == ([1, 2, 3, 4, 5], list(range(6, 6 + edits.WALL)))
    above, below = edits.sides(found.table, len(found))
    assert (len(above), len(below)) == (edits.WALL, 0)
    first, second, third = found.table["index"].head(3).tolist()
    content = ForgetSet((second,), (third,))
    assert edits.marked(found.table.head(3), content)["status"].tolist() == ["", edits.IN, edits.OUT]
    assert edits.to_add(found.table, 3, content) == [first]
    checked = content.checking([first, third])
    assert edits.marked(found.table.head(3), checked)["status"].tolist() == [edits.TRUSTED, edits.IN, edits.TRUSTED]
    assert edits.to_add(found.table, 3, checked) == []


def test_points_have_one_role_each(store: Store) -> None:
    found = look.open_suspects(store, SCENARIO, SPEC)
    frame = edits.roles(SCENARIO, found, 20)
    assert len(frame) == len(scenario_data(SCENARIO).train)
    counts = frame["role"].value_counts().to_dict()
    assert (counts["above"], counts["below"], counts["forget"]) == (20, edits.WALL, 30)
    groups = edits.truth_of(SCENARIO)
    assert (groups == "undiscovered").sum() == 30
    assert set(groups[frame["role"] == "forget"]) == {"discovered"}
