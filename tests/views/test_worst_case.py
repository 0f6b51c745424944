"""The worst case: the lowest mean over seeds among tasks that differ in the dials alone, or nothing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import tables
from unlearn_core.specs import Scenario
from unlearn_core.store import Store
from unlearn_core.views.heatmap.worst_case import worst_case, worst_cases
from unlearn_core.views.text.sentences import worst_sentence

ROWS = [  # regularity, discovery, seed, value
    (1.0, 0.3, 0, 0.9),
    (1.0, 0.3, 1, 0.1),
    (0.5, 0.1, 3, 0.4),
    (0.5, 0.1, 4, 0.5),
    (0.0, 0.1, 0, None),
]


def frame(rows: list[tuple[float, float, int, float | None]]) -> pd.DataFrame:
    columns = ["regularity", "discovery", "seed", "healed_x_utility"]
    return pd.DataFrame(rows, columns=columns).assign(method="rem", label="REM")


def test_the_lowest_mean_over_seeds_counts() -> None:
    worst = worst_case(frame(ROWS), seed=0)
    assert worst is not None
    assert (worst.regularity, worst.discovery, worst.seeds, worst.tasks) == (0.5, 0.1, 2, 2)
    assert worst.value == pytest.approx(0.45)


def test_the_view_s_seed_stays_where_it_is_stored() -> None:
    assert worst_case(frame(ROWS), seed=4).seed == 4
    assert worst_case(frame(ROWS), seed=0).seed == 3


def test_one_task_is_no_comparison() -> None:
    assert worst_case(frame(ROWS[:2]), seed=0) is None
    assert worst_case(frame([]), seed=0) is None
    assert worst_case(frame([ROWS[0], ROWS[4]]), seed=0) is None


def put(store: Store, what: Scenario, name: str, value: float, **overrides: object) -> None:
    spec = make_method(name, what, overrides)
    dumped = {"scenario": what.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    store.put(what.run_key(spec), "run", dumped, {"metrics": {"healed_x_utility": value}, "trajectory": []}, {})


def test_only_the_dials_may_differ(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    view = make_scenario("blobs", amount=60)
    put(store, view, "rem", 0.8)
    put(store, make_scenario("blobs", amount=60, regularity=0.5), "rem", 0.6)
    put(store, make_scenario("blobs", amount=30, regularity=0.2), "rem", 0.1)
    put(store, make_scenario("blobs", amount=60, regularity=0.2, overrides={"training.epochs": 3}), "rem", 0.1)
    put(store, make_scenario("blobs", amount=60, regularity=0.1), "rem", 0.1, epochs=7)
    put(store, make_scenario("waves", amount=60, regularity=0.1), "rem", 0.1)
    put(store, make_scenario("blobs", amount=60, regularity=0.1), "finetune", 0.1)
    specs = [make_method(name, view) for name in ("rem", "finetune")]
    found = worst_cases(store, view, specs)
    assert found["finetune"] is None
    assert found["rem"] is not None
    assert (found["rem"].regularity, found["rem"].value, found["rem"].tasks) == (0.5, 0.6, 2)


def test_the_gallery_counts_below_the_store_as_in_the_heatmap(tmp_path: Path) -> None:
    computed, own = Store.open(tmp_path / "gallery"), Store.open(tmp_path / "own")
    view, low = make_scenario("blobs", amount=60), make_scenario("blobs", amount=60, regularity=0.5)
    spec = make_method("rem", view)
    for what, value in ((view, 0.8), (low, 0.3), (make_scenario("blobs", amount=30, regularity=0.2), 0.1)):
        put(computed, what, "rem", value)
    gallery = tables.results(computed)
    assert worst_cases(own, view, [spec])["rem"] is None
    found = worst_cases(own, view, [spec], gallery)["rem"]
    assert found is not None
    assert (found.regularity, found.value, found.tasks, found.precomputed) == (0.5, 0.3, 2, 1)
    assert "(seed 0, from the gallery), the lowest of 2 tasks with results" in worst_sentence(found)
    put(own, low, "rem", 0.7)  # what the store has itself stands above the gallery's row of the same run
    found = worst_cases(own, view, [spec], gallery)["rem"]
    assert found is not None
    assert (found.value, found.precomputed) == (0.7, 0)
