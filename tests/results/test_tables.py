"""Tables of stored results: what is pooled, what is kept apart, what depends on other results."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unlearn_core.errors import UserError
from unlearn_core.evaluation import registry as metrics
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import late_metrics, tables
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.metrics import plan_measures
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.heatmap.data import heatmap_data


def scenario(seed: int = 0, **changes: object) -> Scenario:
    overrides = {"training.epochs": 2} | dict(changes.pop("overrides", {}))
    return make_scenario("blobs", amount=60, discovery=0.5, seed=seed, overrides=overrides, **changes)


def compute(store: Store, what: Scenario, *names: str, **overrides: object) -> list[MethodSpec]:
    specs = [make_method(name, what, overrides) for name in names]
    for stage in plan_runs(what, specs):
        if not store.has([stage.key]):
            run_stage(stage, store, "cpu", SilentReporter())
    return specs


def fake(store: Store, what: Scenario, name: str, value: float | None, **overrides: object) -> None:
    """A run record without having run anything."""
    spec = make_method(name, what, overrides)
    payload = {"method": name, "params": {}, "metrics": {"utility": value}, "seconds": 1.0, "device": "cpu", "trajectory": []}
    store.put(what.run_key(spec), "run", {"scenario": what.model_dump(mode="json"), "method": spec.model_dump(mode="json")},
              payload, {})  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def test_comparison_has_the_original_and_what_is_stored(store: Store) -> None:
    what = scenario()
    specs = compute(store, what, "finetune", "oracle_retrain")
    missing = make_method("rem", what)
    frame = tables.comparison(store, what, [specs[1], missing, specs[0]])
    assert list(frame["method"]) == ["original", "oracle_retrain", "finetune"]
    assert list(frame["oracle"]) == [False, True, False]
    assert set(metrics.names()) <= set(frame.columns)
    record = store.get(what.run_key(specs[0]))
    assert frame.set_index("method").loc["finetune", "utility"] == record.payload["metrics"]["utility"]
    assert all(pd.api.types.is_float_dtype(frame[name]) for name in metrics.names())


def test_what_depends_on_other_results_is_told_from_a_store_that_can_only_be_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = scenario()
    specs = compute(store, what, "finetune", "oracle_retrain")
    with monkeypatch.context() as mine:
        mine.setattr(os, "access", lambda *_: False)
        reader = Store.open(store.location)
    assert reader.read_only
    kept = len(store.find())
    frame = tables.comparison(reader, what, specs)
    assert not math.isnan(frame.set_index("method").loc["finetune", "gap_oracle"])
    assert len(store.find()) == kept
    pd.testing.assert_frame_equal(frame, tables.comparison(store, what, specs))
    assert len(store.find()) > kept


def test_comparison_of_nothing_has_the_columns(store: Store) -> None:
    frame = tables.comparison(store, scenario(), [])
    assert frame.empty
    assert {"method", "label", "oracle", "utility"} <= set(frame.columns)


def test_gaps_appear_when_their_reference_does(store: Store) -> None:
    what = scenario()
    specs = compute(store, what, "finetune")
    before = tables.comparison(store, what, specs).set_index("method")
    assert math.isnan(before.loc["finetune", "gap_retrain"])
    specs += compute(store, what, "retrain")
    after = tables.comparison(store, what, specs).set_index("method")
    assert after.loc["retrain", "gap_retrain"] == 0
    assert after.loc["finetune", "gap_retrain"] >= 0
    assert after.loc["finetune", "utility"] == before.loc["finetune", "utility"]
    size = len(store.find())
    pd.testing.assert_frame_equal(tables.comparison(store, what, specs).set_index("method"), after)
    assert len(store.find()) == size


OLD = {"mia_auc": 0.99, "mia_tpr_at_1_fpr": 0.98, "mia_confidence": 0.97, "gap_retrain": 0.96, "gap_oracle": 0.95}


def age(store: Store, key: str) -> None:
    """Put a run back as it was stored when these metrics had other definitions, and as if it had been measured so."""
    record = store.get(key)
    arrays = {name: store.arrays(key, name) for name in record.arrays}
    payload = record.payload | {"metrics": record.payload["metrics"] | OLD}
    del payload["metric_revisions"], payload["metrics"]["memorised"]
    store.delete(key)
    store.put(key, "run", record.spec, payload, record.environment, arrays)


def test_values_of_another_definition_are_measured_anew_never_shown(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    what = scenario()
    specs = compute(store, what, "finetune", "retrain")
    fresh = tables.comparison(store, what, specs)
    for spec in specs:
        age(store, what.run_key(spec))
    pd.testing.assert_frame_equal(tables.comparison(store, what, specs), fresh)
    listed = tables.results(store)
    assert listed[list(OLD)].isna().all(axis=None)
    assert list(listed["utility"]) == [store.get(what.run_key(spec)).payload["metrics"]["utility"] for spec in specs]
    one = tables.results(store, "mia_auc").set_index("method")["mia_auc"]
    assert one.to_dict() == fresh.set_index("method").loc[["finetune", "retrain"], "mia_auc"].to_dict()
    waiting = heatmap_data(store, what, "mia_confidence")
    assert waiting.unmeasured == 3
    for stage in plan_measures(waiting.pending):
        run_stage(stage, store, "cpu", SilentReporter())
    found = heatmap_data(store, what, "mia_confidence")
    assert found.unmeasured == 0
    assert found.runs.set_index("method")["value"].to_dict() == fresh.set_index("method")["mia_confidence"].to_dict()
    monkeypatch.setattr(metrics.get("mia_confidence"), "revision", 99)  # what was measured late has a definition, too
    late_metrics.cached_places.cache_clear()  # as in another process
    assert heatmap_data(store, what, "mia_confidence").unmeasured == 3


def test_damaged_arrays_take_only_their_own_row(store: Store, tmp_path: Path) -> None:
    what = scenario()
    specs = compute(store, what, "finetune")
    path = next(p for p in tmp_path.rglob("*.safetensors") if f"{what.original_key}-logits" in p.name)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert list(tables.comparison(store, what, specs)["method"]) == ["finetune"]


def test_summary_pools_seeds_and_nothing_else(store: Store) -> None:
    for seed, value in enumerate([0.5, 0.7, 0.9]):
        fake(store, scenario(seed), "retrain", value)
    fake(store, scenario(0), "finetune", 0.4)
    fake(store, scenario(0), "finetune", 0.6, epochs=77)
    fake(store, scenario(1), "finetune", None)
    fake(store, scenario(0, regularity=0.5), "retrain", 0.1)
    fake(store, scenario(0, overrides={"trigger.size": 1}), "retrain", 0.2)
    frame = tables.results(store)
    assert len(frame) == 8
    long = tables.summary(frame, "utility")
    assert len(long) == 5
    pooled = long[(long["method"] == "retrain") & (long["regularity"] == 1) & ~long["options"].str.contains("trigger")]
    assert pooled["n"].item() == 3
    assert pooled["mean"].item() == pytest.approx(0.7)
    assert pooled["standard_error"].item() == pytest.approx(np.std([0.5, 0.7, 0.9], ddof=1) / np.sqrt(3))
    assert set(long[long["method"] == "finetune"]["variant"]) == {"", "epochs=77"}
    assert long[long["method"] == "finetune"]["standard_error"].isna().all()
    assert "training.epochs=2, trigger.size=1" in {", ".join(sorted(o.split(", "))) for o in long["options"]}
    with pytest.raises(UserError):
        tables.summary(frame, "nonsense")
    with pytest.raises(UserError):
        tables.results(store, "nonsense")
    assert tables.results(store, dataset="digits").empty


def test_older_revisions_and_unknown_methods_are_left_out(store: Store) -> None:
    what = scenario()
    fake(store, what, "retrain", 0.5)
    for change in ({"revision": 999}, {"name": "gone"}):
        spec = make_method("retrain", what).model_dump(mode="json") | change
        store.put(str(change), "run", {"scenario": what.model_dump(mode="json"), "method": spec}, {"metrics": {}}, {})
    store.put("odd", "run", {"nothing": 1}, {}, {})
    assert list(tables.results(store)["method"]) == ["retrain"]


def test_a_run_from_before_a_knob_was_added_does_not_count_twice(store: Store) -> None:
    what = scenario()
    fake(store, what, "rem", 0.5)
    spec = make_method("rem", what).model_dump(mode="json")
    del spec["params"]["removal_cap"]
    store.put("before", "run", {"scenario": what.model_dump(mode="json"), "method": spec}, {"metrics": {"utility": 0.5}}, {})
    frame = tables.results(store)
    assert len(frame) == 1
    assert tables.summary(frame, "utility")["n"].item() == 1
    assert store.get("before") is not None


def test_trajectories_are_tidy(store: Store) -> None:
    what = scenario()
    specs = compute(store, what, "finetune", epochs=3)
    frame = tables.trajectories(store, what, specs)
    assert list(frame["round"]) == [1, 2, 3]
    assert {"method", "label", "healed", "utility"} <= set(frame.columns)
    assert {"method", "label", "round"} <= set(tables.trajectories(store, what, []).columns)


def test_a_second_look_reads_only_what_is_new(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        fake(store, scenario(seed), "rem", seed / 10)
    assert tables.summary(tables.results(store), "utility")["n"].item() == 3
    seen: list[int] = []
    changes = type(store.runs).changes

    def spied(*arguments: object) -> object:
        found = changes(*arguments)
        seen.append(len(found.added))
        return found

    monkeypatch.setattr(type(store.runs), "changes", spied)
    monkeypatch.setattr(type(store.runs), "specs", lambda *_: pytest.fail("a spec was parsed twice"))
    fake(Store.open(store.location), scenario(3), "rem", 0.9)  # by another process
    assert sorted(tables.results(store)["utility"]) == [0.0, 0.1, 0.2, 0.9]
    store.delete(scenario(0).run_key(make_method("rem", scenario(0))))
    assert sorted(tables.results(store)["utility"]) == [0.1, 0.2, 0.9]
    assert seen == [1, 0]


def test_metrics_that_are_not_asked_for_are_left_out_until_they_are(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that speak of different metrics, in parts: a value is where it was measured, and nowhere else."""
    from unlearn_core.results.run_table import stored_runs
    from unlearn_core.store import runs as store_runs

    monkeypatch.setattr(store_runs, "PAGE", 2)
    for seed in range(5):
        fake(store, scenario(seed), "rem", seed / 10)
    spec, what = make_method("rem", scenario(5)), scenario(5)
    told = {"scenario": what.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    store.put(what.run_key(spec), "run", told, {"metrics": {"healed": 0.7}, "seconds": 1.0, "device": "cpu"}, {})
    few = stored_runs(store, None, ["healed"])
    assert "utility" not in few.frame
    assert few.frame["healed"].fillna(-1).tolist() == [-1, -1, -1, -1, -1, 0.7]
    every = stored_runs(store)
    assert every.frame["utility"].fillna(-1).tolist() == [0.0, 0.1, 0.2, 0.3, 0.4, -1]
    assert every.frame["healed"].equals(few.frame["healed"])
    assert stored_runs(store, None, ["healed"]).frame is every.frame
    texts = every.frame["setting"].to_numpy()
    assert len({id(text) for text in texts}) == 1  # one object, not one for every row
