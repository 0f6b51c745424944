"""Healing class by class, against an example counted by hand; the Pareto front; the common time axis."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import tables
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.compare.classes import COLUMNS, by_class, count_classes
from unlearn_core.views.compare.pareto import pareto_front
from unlearn_core.views.compare.time_axis import normalise_time


def test_classes_are_counted_by_clean_label() -> None:
    clean = np.array([0, 0, 0, 1, 1])
    predicted = np.array([0, 2, 0, 2, 2])
    tested, labels = np.array([0, 1, 1, 2]), np.array([0, 1, 0, 2])
    table = count_classes(predicted, clean, tested, labels, ["a", "b", "c"]).set_index("class")
    assert list(table["n"]) == [3, 2, 0]
    assert table.loc["a", "healed"] == pytest.approx(2 / 3)
    assert table.loc["b", "healed"] == 0
    assert math.isnan(table.loc["c", "healed"])
    assert list(table["test_n"]) == [2, 1, 1]
    assert list(table["utility"]) == [0.5, 1, 1]


def test_the_classes_of_stored_models_add_up_to_their_metrics(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    what = make_scenario("blobs", amount=60, discovery=0.5, overrides={"training.epochs": 2})
    specs = [make_method(name, what) for name in ("finetune", "rem")]
    for stage in plan_runs(what, specs[:1]):
        run_stage(stage, store, "cpu", SilentReporter())
    frame = by_class(store, what, specs)
    assert list(frame.columns) == COLUMNS
    assert list(frame["method"].unique()) == ["original", "finetune"]
    whole = tables.comparison(store, what, specs).set_index("method")
    for method, part in frame.groupby("method"):
        assert part["n"].sum() == 60
        assert (part["n"] * part["healed"].fillna(0)).sum() / 60 == pytest.approx(whole.loc[method, "healed"])
        assert (part["test_n"] * part["utility"]).sum() / part["test_n"].sum() == pytest.approx(whole.loc[method, "utility"])


def test_nothing_stored_has_the_columns(tmp_path: Path) -> None:
    frame = by_class(Store.open(tmp_path), make_scenario("blobs"), [])
    assert frame.empty
    assert list(frame.columns) == COLUMNS


def front(*rows: tuple[str, float | None, float | None, bool]) -> list[str]:
    frame = pd.DataFrame(rows, columns=["method", "utility", "healed", "oracle"])
    return list(pareto_front(frame)["method"])


def test_the_front_is_what_no_method_beats() -> None:
    assert front(("a", 0.9, 0.1, False), ("b", 0.5, 0.9, False), ("c", 0.5, 0.5, False), ("d", 0.8, 0.1, False)) == ["b", "a"]


def test_neither_the_original_nor_oracles_compete() -> None:
    assert front(("original", 1.0, 1.0, False), ("o", 1.0, 1.0, True), ("a", 0.9, 0.5, False)) == ["a"]


def test_equals_share_the_front_and_missing_values_are_left_out() -> None:
    assert front(("a", 0.5, 0.5, False), ("b", 0.5, 0.5, False), ("c", None, 1.0, False)) == ["a", "b"]
    assert front() == []


def test_every_method_ends_its_own_work_at_one_and_starts_at_the_original() -> None:
    rounds = pd.DataFrame(
        {
            "method": ["a", "a", "b", "b"],
            "label": ["A", "A", "B", "B"],
            "round": [1, 2, 5, 10],
            "healed": [0.1, 0.2, 0.3, 0.4],
        }
    )
    frame = normalise_time(rounds, {"healed": 0.05, "utility": 0.9}, {"a": True, "b": False})
    assert list(frame[frame["method"] == "a"]["work"]) == [0, 0.5, 1]
    assert list(frame[frame["method"] == "a"]["healed"]) == [0.05, 0.1, 0.2]
    assert list(frame[frame["method"] == "b"]["work"]) == [0.5, 1]
    assert "utility" not in frame
    assert normalise_time(rounds.iloc[:0], {}, {}).empty
