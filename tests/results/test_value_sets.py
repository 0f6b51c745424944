"""Tuned and published values are told apart wherever results are shown, and found again from their words."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from unlearn_core.cli import main
from unlearn_core.methods import registry
from unlearn_core.presets import make_method, make_scenario, value_sets
from unlearn_core.results import gallery as gallery_module
from unlearn_core.results import table_export, tables
from unlearn_core.results.settings import read_variant, set_of
from unlearn_core.specs import MethodSpec, ModelSpec, Scenario
from unlearn_core.store import Store
from unlearn_core.views.heatmap.data import heatmap_data, in_set, specs_of
from unlearn_core.views.heatmap.links import cell_of, cell_text, cell_today, overrides_of
from unlearn_core.views.heatmap.missing import missing
from unlearn_core.views.heatmap.tasks import Cell
from unlearn_core.views.picture import short, short_labels
from unlearn_core.views.table import value_table
from unlearn_core.views.text.method_card import method_card

DIGITS = make_scenario("digits")
BOTH = [name for name in registry.names() if make_method(name, DIGITS) != make_method(name, DIGITS, values="paper")]


def put(store: Store, spec: MethodSpec, value: float, scenario: Scenario = DIGITS) -> None:
    """A run record without having run anything."""
    payload = {"method": spec.name, "metrics": {"utility": value}, "seconds": 1.0, "device": "cpu", "trajectory": []}
    told = {"scenario": scenario.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    store.put(scenario.run_key(spec), "run", told, payload, {})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """REM and SCRUB on one task with either set of values, REM changed as well, and a method that has one set."""
    place = Store.open(tmp_path)
    for k, values in enumerate(("tuned", "paper")):
        put(place, make_method("rem", DIGITS, values=values), 0.5 + k / 10)
        put(place, make_method("scrub", DIGITS, values=values), 0.3 + k / 10)
        put(place, make_method("rem", DIGITS, {"epochs": 77}, values), 0.7 + k / 10)
    put(place, make_method("rem_tuned", DIGITS), 0.9)
    return place


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("values", ["tuned", "paper"])
@pytest.mark.parametrize("changed", [0, 1])
def test_a_variant_reads_back_to_the_same_run(name: str, values: str, changed: int) -> None:
    usual = make_method(name, DIGITS, values=values)
    fields = [field for field, value in usual.params.items() if isinstance(value, float) and 0 < value < 0.5]
    spec = make_method(name, DIGITS, {field: usual.params[field] * 1.5 for field in fields[:changed]}, values)
    text = tables.variant(spec, DIGITS)
    of, overrides = read_variant(text)
    assert make_method(name, DIGITS, overrides, of) == spec
    if not changed:
        assert text == {"tuned": "", "paper": "paper"}[values]


def test_changed_runs_are_named_after_the_nearer_set() -> None:
    changed = {values: make_method("rem", DIGITS, {"epochs": 77}, values) for values in ("tuned", "paper")}
    assert {values: tables.variant(spec, DIGITS) for values, spec in changed.items()} == {
        "tuned": "epochs=77", "paper": "paper, epochs=77",
    }  # fmt: skip
    assert [set_of(text) for text in ("", "epochs=77", "paper", "paper, epochs=77", "paperlike=1")] == [
        "tuned", "tuned", "paper", "paper", "tuned",
    ]  # fmt: skip


def test_a_method_with_one_set_is_never_called_paper() -> None:
    for name in set(registry.names()) - set(BOTH):
        assert tables.variant(make_method(name, DIGITS, values="paper"), DIGITS) == ""


def test_the_usual_values_of_a_network_trained_elsewhere_are_no_variant() -> None:
    model = ModelSpec(name="torchvision", params={"architecture": "resnet18", "weights": "a.pt", "content": "sha-" + "a" * 32})
    brought = DIGITS.model_copy(update={"model": model})
    assert make_method("rem", brought).params["fit_rate"] is True
    assert tables.variant(make_method("rem", brought), brought) == ""
    assert tables.variant(make_method("rem", brought, {"fit_rate": False}), brought) == "fit_rate=False"
    assert tables.variant(make_method("rem", brought, values="paper"), brought) == "paper"
    assert tables.variant(make_method("rem_tuned", brought, values="paper"), brought) == ""


def test_both_sets_are_rows_of_their_own_in_every_table(store: Store) -> None:
    summary = tables.summary(tables.results(store), "utility").set_index(["method", "variant"])["mean"]
    assert summary.to_dict() == pytest.approx(
        {
            ("rem", ""): 0.5, ("rem", "paper"): 0.6, ("rem", "epochs=77"): 0.7, ("rem", "paper, epochs=77"): 0.8,
            ("scrub", ""): 0.3, ("scrub", "paper"): 0.4, ("rem_tuned", ""): 0.9,
        }
    )  # fmt: skip
    wide = table_export.wide(tables.summary(tables.results(store), "utility"), "±")
    assert {"REM", "REM [paper]", "REM [paper, epochs=77]", "SCRUB [paper]"} <= set(wide.index)
    assert "REM [paper]" in table_export.latex(wide)


def test_a_comparison_says_which_values_a_run_has(store: Store) -> None:
    paper = [make_method(name, DIGITS, values="paper") for name in ("rem", "scrub", "rem_tuned")]
    put(store, make_method("rem_tuned", DIGITS, values="paper"), 0.9)
    assert list(tables.comparison(store, DIGITS, paper)["label"]) == ["REM [paper]", "SCRUB [paper]", "REM, self-tuned"]
    tuned = [make_method(name, DIGITS) for name in ("rem", "scrub")]
    assert list(tables.comparison(store, DIGITS, tuned)["label"]) == ["REM", "SCRUB"]


def test_a_short_label_keeps_its_mark() -> None:
    assert short("Oracle: REM with ideal masks [paper]") == "Oracle [paper]"
    assert short("Oracle: REM with ideal masks") == "Oracle"
    assert short_labels(["REM [paper]", "Oracle: a", "Oracle: b"]) == ["REM [paper]", "Oracle: a", "Oracle: b"]


def test_the_grid_shows_the_chosen_set_and_can_run_it(store: Store) -> None:
    runs = heatmap_data(store, DIGITS, "utility").runs
    specs = specs_of(store, runs, DIGITS)
    assert specs["rem", ""] == make_method("rem", DIGITS)
    assert specs["rem", "paper"] == make_method("rem", DIGITS, values="paper")
    assert specs["rem", "paper, epochs=77"] == make_method("rem", DIGITS, {"epochs": 77}, "paper")
    assert ("rem_tuned", "paper") not in specs
    stored = set(runs[["method", "variant"]].itertuples(index=False, name=None))
    inside = {values: {who for who in stored if in_set(values, specs)(*who)} for values in ("tuned", "paper")}
    assert inside["tuned"] == {("rem", ""), ("rem", "epochs=77"), ("scrub", ""), ("rem_tuned", "")}
    assert inside["paper"] == {("rem", "paper"), ("rem", "paper, epochs=77"), ("scrub", "paper"), ("rem_tuned", "")}
    task = Cell(1.0, 0.3)
    lacking = missing(runs, {"": DIGITS}, {who: specs[who] for who in [("npo", "paper"), ("scrub", "paper")]}, [task], 1)
    assert [(what.key, found) for what, found in lacking] == [(DIGITS.key, [make_method("npo", DIGITS, values="paper")])]


@pytest.mark.parametrize("variant", ["paper", "paper, epochs=77"])
def test_a_published_cell_survives_its_text(variant: str) -> None:
    cell = ("rem", variant, Cell(0.5, 0.3))
    assert cell_of(cell_text(*cell)) == cell
    assert overrides_of("rem", variant) == ({"rem.epochs": "77"} if "epochs" in variant else {})


def test_an_old_name_of_a_cell_finds_its_run(store: Store) -> None:
    runs, task = heatmap_data(store, DIGITS, "utility").runs, Cell(1.0, 0.3)
    spelt_out = ", ".join(f"{name}={paper}" for name, (_, paper) in value_sets("scrub", "digits").items())
    assert cell_today(("scrub", spelt_out, task), DIGITS, runs) == ("scrub", "paper", task)
    assert cell_today(("rem_tuned", "paper", task), DIGITS, runs) == ("rem_tuned", "", task)  # it has one set
    for cell in (("rem", "paper", task), ("rem", "", task), ("rem", "gone=1", task), ("original", "", task)):
        assert cell_today(cell, DIGITS, runs) == cell


def test_the_gallery_knows_either_set_by_its_variant() -> None:
    task = {"dataset": "digits", "model": "cnn", "amount": 0.06, "regularity": 1.0, "discovery": 0.3, "seed": 0}
    rows = pd.DataFrame([task | {"method": "rem", "variant": v} for v in ("", "paper", "paper, epochs=77", "spec=gone")])
    specs = [make_method("rem", DIGITS), make_method("rem", DIGITS, values="paper"),
             make_method("rem", DIGITS, {"epochs": 77}, "paper")]  # fmt: skip
    assert list(gallery_module.keys_today(rows)) == [*(DIGITS.run_key(spec) for spec in specs), ""]


def test_what_is_said_about_a_method_has_both_sets_side_by_side() -> None:
    known = method_card("scrub", "digits")
    assert known.sets["learning_rate"] == (make_method("scrub", DIGITS).params["learning_rate"], 5e-4)
    assert known.both == ""
    table = value_table(known.sets).set_index("Parameter")
    assert table.loc["learning_rate", "Paper"] == "0.0005"
    assert "Tuned by" in known.source
    paper = method_card("scrub", "digits", values="paper")
    assert "As published" in paper.source
    assert "arxiv.org/abs/2302.09880" in paper.source
    assert "learning_rate" not in paper.preset
    assert method_card("rem_tuned", "digits").both == "It was never published, and has one set of values."
    assert method_card("rem_tuned", "digits", values="paper").source == method_card("rem_tuned", "digits").source
    assert method_card("retrain", "digits").both == "It has none."


def test_the_list_of_methods_has_both_sets(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "5000")
    assert main(["methods", "--json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    told = found["scrub"]["values"]["digits"]["learning_rate"]
    assert told == {"tuned": make_method("scrub", DIGITS).params["learning_rate"], "paper": 5e-4}
    assert found["rem_tuned"]["values"]["digits"] == {}
    assert (found["rem"]["published"], found["rem_tuned"]["published"]) == (True, False)
    assert main(["methods", "--dataset", "waves"]) == 0
    words = capsys.readouterr().out
    assert "Values: tuned for waves (paper)" in words
    name, (tuned, paper) = next(iter(value_sets("scrub", "waves").items()))
    (line,) = (line for line in words.splitlines() if line.startswith("scrub "))
    assert f"{name}={tuned} ({paper})" in line
    assert main(["methods", "--dataset", "mars"]) == 2
