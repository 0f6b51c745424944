"""The heatmap's numbers: equal to the store's, nothing pooled that differs, what is missing is what is not stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from unlearn_core.methods import registry as methods
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import table_export, tables
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.metrics import plan_measures
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.heatmap.data import (
    PAPER,
    HeatmapData,
    RowKey,
    by_score,
    cells,
    heatmap_data,
    long_table,
    relative,
    rows_of,
    specs_of,
)
from unlearn_core.views.heatmap.links import cell_of, cell_text
from unlearn_core.views.heatmap.missing import Estimate, estimate, missing
from unlearn_core.views.heatmap.tasks import MAP, Cell, tasks_of


def scenario(seed: int = 0, regularity: float = 1.0, discovery: float = 0.5, **changes: object) -> Scenario:
    overrides = {"training.epochs": 2} | dict(changes.pop("overrides", {}))
    return make_scenario("blobs", regularity=regularity, discovery=discovery, seed=seed, overrides=overrides, **changes)


def compute(store: Store, what: Scenario, *names: str) -> None:
    for stage in plan_runs(what, [make_method(name, what) for name in names]):
        if not store.has([stage.key]):
            run_stage(stage, store, "cpu", SilentReporter())


def fake(store: Store, what: Scenario, name: str, value: float | None, seconds: float = 1.0, **overrides: object) -> None:
    """A run record without having run anything."""
    spec = make_method(name, what, overrides)
    metrics = {"utility": value, "seconds": seconds}
    payload = {"method": name, "metrics": metrics, "seconds": seconds, "device": "cpu", "trajectory": []}
    spec_of = {"scenario": what.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    store.put(what.run_key(spec), "run", spec_of, payload, {})


def presets(*names: str) -> dict[RowKey, MethodSpec]:
    return {(name, ""): make_method(name, scenario()) for name in names}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def measured(store: Store, what: Scenario, metric: str) -> HeatmapData:
    """The grid after everything that is pending has been measured."""
    for stage in plan_measures(heatmap_data(store, what, metric).pending):
        run_stage(stage, store, "cpu", SilentReporter())
    return heatmap_data(store, what, metric)


def test_cells_are_means_over_seeds_of_the_same_setting(store: Store) -> None:
    for seed, value in enumerate([0.5, 0.7, 0.9]):
        fake(store, scenario(seed), "rem", value)
    fake(store, scenario(0), "rem", 0.1, epochs=77)
    fake(store, scenario(0, discovery=0.1), "rem", None)
    fake(store, scenario(0, amount=30), "rem", 0.2)
    fake(store, make_scenario("waves"), "rem", 0.3)
    found = heatmap_data(store, scenario(), "utility")
    table = cells(found.runs).set_index(["variant", "discovery"])
    usual = table.loc[("", 0.5)]
    assert (usual["mean"], usual["n"], usual["stored"]) == (pytest.approx(0.7), 3, 3)
    assert usual["standard_error"] == pytest.approx(0.2 / 3**0.5)
    assert table.loc[("epochs=77", 0.5), "mean"] == 0.1
    assert (table.loc[("", 0.1), "n"], table.loc[("", 0.1), "stored"]) == (0, 1)
    assert len(found.elsewhere) == 1


def test_values_equal_the_store_s_once_they_are_measured(store: Store) -> None:
    what = scenario()
    compute(store, what, "finetune", "retrain", "oracle_retrain")
    for metric in ("healed", "gap_oracle"):
        before = heatmap_data(store, what, metric)
        assert before.unmeasured == (1 if metric == "healed" else 4)
        found = measured(store, what, metric)
        assert found.unmeasured == 0
        names = ("finetune", "retrain", "oracle_retrain")
        expected = tables.comparison(store, what, [make_method(name, what) for name in names]).set_index("method")[metric]
        assert found.runs.set_index("method")["value"].to_dict() == expected.to_dict()
    assert len(heatmap_data(store, what, "healed").runs) == len(found.runs)


def test_a_comparison_waits_for_its_reference(store: Store) -> None:
    what = scenario()
    compute(store, what, "finetune")
    assert heatmap_data(store, what, "gap_retrain").pending == ()
    compute(store, what, "retrain")
    assert heatmap_data(store, what, "gap_retrain").unmeasured == 3


def test_the_relative_scale_runs_from_the_original_to_the_oracle(store: Store) -> None:
    what = scenario(overrides={"training.epochs": 40})
    compute(store, what, "finetune", "oracle_retrain")
    runs = measured(store, what, "healed").runs
    values = relative(runs).set_index("method")["value"]
    plain = runs.set_index("method")["value"]
    assert (values["original"], values["oracle_retrain"]) == (0, 1)
    gap = plain["oracle_retrain"] - plain["original"]
    assert values["finetune"] == pytest.approx((plain["finetune"] - plain["original"]) / gap)
    flat = relative(runs.assign(value=[0.5, 0.5, 0.51]))
    assert flat["value"].isna().all()


def test_missing_is_what_is_not_stored_and_can_run(store: Store) -> None:
    fake(store, scenario(0), "rem", 0.5)
    fake(store, scenario(1), "rem", 0.5, epochs=77)
    tasks = [Cell(1.0, 0.5), Cell(1.0, 0.0)]
    runs = heatmap_data(store, scenario(), "utility").runs
    wanted = missing(runs, {"": scenario()}, presets("rem", "oracle_retrain"), tasks, 2)
    listed = {(what.seed, what.discovery, spec.name) for what, specs in wanted for spec in specs}
    assert methods.get("rem").needs_forget
    assert listed == {
        (0, 0.5, "oracle_retrain"), (1, 0.5, "rem"), (1, 0.5, "oracle_retrain"), (0, 0.0, "oracle_retrain"),
        (1, 0.0, "oracle_retrain"),
    }  # fmt: skip
    keys = {what.run_key(spec) for what, specs in wanted for spec in specs}
    assert scenario(1).run_key(make_method("rem", scenario(1))) in keys
    variants = {who: spec for who, spec in specs_of(store, runs, scenario()).items() if who[1] not in ("", PAPER)}
    assert {spec.params["epochs"] for spec in variants.values()} == {77}
    ((other, (spec,)),) = missing(runs, {"": scenario()}, variants, tasks[:1], 2)
    assert (other.seed, spec.params["epochs"]) == (0, 77)


def test_the_estimate_adds_up_measured_seconds(store: Store) -> None:
    what = scenario()
    empty = missing(heatmap_data(store, what, "utility").runs, {"": what}, presets("rem"), [Cell(1.0, 0.5)], 1)
    assert estimate(store, empty, heatmap_data(store, what, "utility").runs) == Estimate(1, 1, None, 1)
    fake(store, what, "rem", 0.5, seconds=2)
    fake(store, scenario(1), "rem", 0.5, seconds=4)
    fake(store, what, "retrain", 0.5, seconds=10)
    found = heatmap_data(store, what, "utility")
    wanted = missing(found.runs, {"": what}, presets("rem", "finetune"), [Cell(0.5, 0.5)], 2)
    # Two rem at 3 s, two finetune at the mean of 3 and 10 s, two originals like a retraining.
    assert estimate(store, wanted, found.runs) == Estimate(4, 2, 2 * 3 + 2 * 6.5 + 2 * 10, 2)


def test_rows_have_the_references_first_and_then_the_families_or_the_best(store: Store) -> None:
    for name, value in (("rem", 0.9), ("finetune", 0.2), ("oracle_retrain", 0.5), ("npo", 0.6)):
        fake(store, scenario(), name, value)
    table = cells(heatmap_data(store, scenario(), "utility").runs)
    assert list(rows_of(table)["method"]) == ["oracle_retrain", "finetune", "npo", "rem"]
    assert list(rows_of(table, [("retrain", ""), ("rem", "")])["method"]) == [
        "retrain",
        "oracle_retrain",
        "finetune",
        "npo",
        "rem",
    ]
    assert list(rows_of(table, keep=lambda method, _: method == "rem")["method"]) == ["rem"]
    tasks = [Cell(1.0, 0.5)]
    assert list(by_score(rows_of(table), table, tasks, True)["method"]) == ["oracle_retrain", "rem", "npo", "finetune"]
    assert list(by_score(rows_of(table), table, tasks, False)["method"]) == ["oracle_retrain", "finetune", "npo", "rem"]


def test_tasks_are_the_map_or_what_is_stored(store: Store) -> None:
    empty = heatmap_data(store, scenario(discovery=0.4), "utility").runs
    assert tasks_of(empty, scenario(discovery=0.4), everything=True) == [Cell(1.0, 0.4)]
    assert tasks_of(empty, scenario(discovery=0.4), everything=False) == list(MAP)
    fake(store, scenario(discovery=0.4), "rem", 0.5)
    fake(store, scenario(discovery=0.45), "rem", 0.5)
    runs = heatmap_data(store, scenario(discovery=0.4), "utility").runs
    assert tasks_of(runs, scenario(discovery=0.4), everything=False) == sorted([*MAP, Cell(1.0, 0.4)])
    assert tasks_of(runs, scenario(discovery=0.4), everything=True) == [Cell(1.0, 0.4), Cell(1.0, 0.45)]


@pytest.mark.parametrize("cell", [("rem", "", Cell(0.5, 0.3)), ("rem", "epochs=5, beta=0.1", Cell(1.0, 1.0))])
def test_a_cell_survives_its_text(cell: tuple[str, str, Cell]) -> None:
    assert cell_of(cell_text(*cell)) == cell


@pytest.mark.parametrize("text", ["", "rem", "rem,a,b", "gone,0.5,0.5", "rem,7,0.5", "rem,nan,0.5", ",,,"])
def test_what_is_no_cell_is_none(text: str) -> None:
    assert cell_of(text) is None


def test_the_table_for_files_has_what_is_shown(store: Store) -> None:
    for seed in range(2):
        fake(store, scenario(seed), "rem", 0.5 + 0.1 * seed)
    fake(store, scenario(regularity=0.0), "finetune", 0.4)
    runs = heatmap_data(store, scenario(), "utility").runs
    rows = rows_of(cells(runs))
    long = long_table(runs, "utility", rows, [Cell(1.0, 0.5)], {"": scenario()})
    assert list(long["method"]) == ["rem"]
    assert table_export.wide(long, "±").loc["REM"].item() == "0.550 ± 0.050 (2)"
    assert "0.550 $\\pm$ 0.050 (2)" in table_export.latex(table_export.wide(long, "$\\pm$"))
