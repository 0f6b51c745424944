"""What a table cell is: runs share one only where they differ in the seed alone, whatever field of a spec is another."""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from unlearn_core.cli import main
from unlearn_core.errors import UserError
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import table_export, tables
from unlearn_core.specs import LOCATION, MethodSpec, Scenario
from unlearn_core.store import Store
from unlearn_core.views.heatmap.data import cells, heatmap_data, runs_in
from unlearn_core.views.heatmap.links import cell_of, cell_text
from unlearn_core.views.heatmap.tasks import Cell

PHOTOS = {"data": "/pictures/birds", "content": "sha-" + "a" * 32, "size": 32, "channels": "colour", "limit": 0, "flip": True}
USUAL = make_scenario("digits")
IMAGES = USUAL.model_copy(update={"dataset": USUAL.dataset.model_copy(update={"name": "images", "params": PHOTOS})})
MINE = USUAL.model_copy(update={"dataset": USUAL.dataset.model_copy(update={"name": "from_a_package", "params": {"kind": 1}})})
REM = make_method("rem", USUAL)


def others(value: Any) -> Iterator[Any]:
    """Values that a field might have instead."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value / 2, value * 2, 0.5)
    elif value is None:
        yield from ((1, 2), 1, "x")
    elif isinstance(value, str):
        yield from ("adam", "bfloat16", "top-left", "mlp", "grey", "sha-" + "b" * 32, f"{value}2")
    elif isinstance(value, tuple):
        yield from ((*value, 3), (*value, (1, "x")))


def changed(data: dict[str, Any], path: tuple[str, ...], parse: Any) -> Any:
    """``data`` with another valid value at ``path``."""
    for value in others(_at(data, path)):
        copy = json.loads(json.dumps(data))
        _at(copy, path[:-1])[path[-1]] = value
        try:
            made = parse(copy)
        except UserError:
            continue
        if made != parse(data):
            return made
    raise AssertionError(f"this test knows no other value for {'.'.join(path)}")


def _at(data: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        data = data[name]
    return data


def fields(model: BaseModel, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field of a spec, those of its parts and every parameter included; a field that is new tomorrow too."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from fields(value, (*above, name))
        elif isinstance(value, dict):
            yield from ((*above, name, key) for key in value)
        else:
            yield (*above, name)


def plain(scenario: Scenario) -> dict[str, Any]:
    """Everything that a scenario may hold, what its JSON leaves out included."""
    data = scenario.model_dump(mode="json")
    trigger = data["corruption"].get("trigger", {}) | {"kind": "patch"}
    corruption = {"found": False, "kind": "", "options": {}} | data["corruption"] | {"trigger": trigger}
    return data | {"forget": None, "corruption": corruption, "training": dict(scenario.training)}


APART = ("seed", "relabelled", "person")
"""The seed, and what few methods are told: those have it in their own spec (tests/stages/test_person.py)."""
WALK = [path for path in fields(IMAGES) if path[0] not in APART]
PLACES = [path for path in WALK if path[-1] in LOCATION]


def put(store: Store, what: Scenario, spec: MethodSpec, value: float | None, device: str = "cpu") -> None:
    about = {"scenario": what.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    metrics = {"utility": value, "healed": None, "seconds": value}
    store.put(what.run_key(spec), "run", about, {"metrics": metrics, "seconds": value, "device": device}, {})


def reseeded(what: Scenario, seed: int) -> Scenario:
    return what.model_copy(update={"seed": seed})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def test_the_walk_covers_the_whole_spec() -> None:
    walked = {path[:2] if len(path) > 1 else path for path in WALK}
    assert {("forget",), ("discovery",), ("corruption", "found"), ("training", "clip"), ("dataset", "params")} <= walked
    assert PLACES == [("dataset", "params", "data")]


@pytest.mark.parametrize("base", [USUAL, IMAGES, MINE], ids=["digits", "images", "a dataset that is not there"])
def test_the_seed_alone_shares_a_cell(base: Scenario) -> None:
    variants = [
        base,
        *(changed(plain(base), path, Scenario.parse) for path in fields(base) if path[0] not in APART),
    ]
    methods = [REM, *(changed(REM.model_dump(mode="json"), path, MethodSpec.parse) for path in fields(REM))]
    moved = [one for one in variants if one.dataset.params.get("data") not in (None, PHOTOS["data"])]
    variants = [one for one in variants if one not in moved]
    keys = {one.cell_key(spec) for one, spec in [(base, spec) for spec in methods] + [(one, REM) for one in variants[1:]]}
    assert len(keys) == len(variants) + len(methods) - 1
    for one, spec in random.Random(0).sample(list(itertools.product(variants, methods)), 20):
        assert reseeded(one, 7).cell_key(spec) == one.cell_key(spec)
        assert reseeded(one, 7).run_key(spec) != one.run_key(spec)
    assert all(one.cell_key(REM) == base.cell_key(REM) for one in moved)  # the same files elsewhere


def test_tables_pool_the_seeds_of_each_setting_and_nothing_else(store: Store) -> None:
    variants = [IMAGES, *(changed(plain(IMAGES), path, Scenario.parse) for path in WALK if path not in PLACES)]
    for value, one in enumerate(variants):
        for seed in (0, 1):
            put(store, reseeded(one, seed), REM, float(value))
    long = tables.summary(tables.results(store), "utility")
    assert sorted(long["mean"]) == [float(value) for value in range(len(variants))]
    assert set(long["n"]) == {2}
    assert set(long["standard_error"]) == {0.0}
    words = long[["dataset", "model", "amount", "regularity", "discovery", "options"]]
    assert not words.duplicated().any()  # a reader can tell them apart as well
    table = table_export.wide(long, "±")
    texts = [cell for row in table.drop(columns=table_export.SETTING).to_numpy() for cell in row if cell != "–"]
    assert len(texts) == len(variants)
    for value, one in list(enumerate(variants))[::5]:
        if one.forget is None and not one.corruption.found:
            here = cells(heatmap_data(store, one, "utility").runs)
            mine = here[(here["regularity"] == one.corruption.regularity) & (here["discovery"] == one.discovery)]
            assert (mine["mean"].item(), mine["n"].item()) == (float(value), 2)


def test_parameters_of_a_method_have_rows_of_their_own_on_any_dataset(store: Store) -> None:
    for base in (IMAGES, MINE):
        for epochs in (6, 7):
            put(store, base, make_method("rem", USUAL, {"epochs": epochs}), epochs / 10)
    long = tables.summary(tables.results(store), "utility")
    assert list(long["n"]) == [1, 1, 1, 1]
    assert all("epochs=" in variant for variant in long["variant"])
    rows = cells(heatmap_data(store, MINE, "utility").runs)
    assert rows["mean"].tolist() == [0.6, 0.7]


def test_two_experiments_that_differ_in_one_setting_are_two_rows(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for limit, value in ((0, 0.9), (200, 0.5)):
        params = IMAGES.dataset.params | {"limit": limit}
        put(store, IMAGES.model_copy(update={"dataset": IMAGES.dataset.model_copy(update={"params": params})}), REM, value)

    def told(*more: str) -> str:
        assert main(["results", "--metric", "utility", "--store", store.location, *more]) == 0
        return capsys.readouterr().out

    lines = [line for line in told().splitlines() if line.startswith("REM")]
    assert len(lines) == 2
    assert {("0.900 (1)" in line, "0.500 (1)" in line, "dataset.limit=200" in line) for line in lines} == {
        (True, False, False),
        (False, True, True),
    }
    rows = json.loads(told("--json"))
    assert {(row["mean"], row["n"], "limit=200" in row["options"]) for row in rows} == {(0.9, 1, False), (0.5, 1, True)}
    assert [row["n"] for row in csv.DictReader(io.StringIO(told("--format", "csv")))] == ["1", "1"]
    assert told("--format", "latex").count("(1)") == 2
    assert "dataset.limit=200" in told("--format", "latex")
    assert told("--format", "html").count("(1)") == 2


def test_tasks_that_round_alike_are_two_columns(store: Store) -> None:
    for discovery, value in ((0.301, 0.2), (0.304, 0.8)):
        put(store, USUAL.at_rate(discovery), REM, value)
    table = table_export.wide(tables.summary(tables.results(store), "utility"), "±")
    assert sorted(table.loc["REM"]) == ["0.200 (1)", "0.800 (1)"]
    text = cell_text("rem", "", Cell(1 / 3, 0.301))
    assert cell_of(text) == ("rem", "", Cell(1 / 3, 0.301))
    assert runs_in(heatmap_data(store, USUAL, "utility").runs, "rem", "", Cell(1.0, 0.301))["utility"].tolist() == [0.2]


def test_seconds_of_two_kinds_of_devices_are_not_averaged(store: Store) -> None:
    for seed, (device, seconds) in enumerate([("cpu", 10.0), ("cpu", 12.0), ("cuda", 1.0)]):
        put(store, reseeded(USUAL, seed), REM, seconds, device)
    frame = tables.results(store)
    long = tables.summary(frame, "seconds")
    assert {(row["options"], row["mean"], row["n"]) for row in long.to_dict("records")} == {
        ("device=cpu", 11.0, 2),
        ("device=cuda", 1.0, 1),
    }
    assert tables.summary(frame, "utility")["n"].item() == 3
    found = heatmap_data(store, USUAL, "seconds")
    assert cells(found.runs)["mean"].item() == 11.0
    assert found.others == ("cnn, 0.06, timed on cuda",)


def test_labels_as_found_and_listed_forget_sets_have_their_own_columns(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    found = make_scenario("digits", overrides={"corruption.found": True})
    for what, value in ((found.knowing([1, 2]), 0.1), (found.knowing([1, 3]), 0.2), (USUAL.knowing([1, 2]), 0.3)):
        put(store, what, REM, value)
    long = tables.summary(tables.results(store), "utility")
    assert sorted(long["mean"]) == [0.1, 0.2, 0.3]
    assert set(table_export.wide(long, "±").columns) == {table_export.SETTING, "as found · listed", "r 1 · listed"}
    put(store, found.knowing([4]), REM, None)
    assert heatmap_data(store, USUAL, "utility").runs.empty
    assert main(["results", "--metric", "healed", "--store", store.location]) == 0
    assert "None of the 4 stored runs has a value of healed" in capsys.readouterr().err
