"""Heatmap: shows what is stored, says what is missing and runs it, opens the runs behind a cell, follows its link."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from apptools import QUICK, finish_jobs, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.store import Store
from unlearn_core.views.heatmap.tasks import Cell

OpenPage = Callable[..., AppTest]


def keys(app: AppTest) -> set[str]:
    return {str(getattr(element, "key", "")) for element in app.main}


def hover(app: AppTest, method: str, variant: str, regularity: float, discovery: float, kind: str = "") -> str:
    """What the picture says about one cell."""
    bars = json.loads(next(e for e in app.main if getattr(e, "key", None) == "figure:grid").proto.spec)["data"][0]
    told = {tuple(cell): text for cell, text in zip(bars["customdata"], bars["hovertext"], strict=True)}
    return str(told[method, variant, regularity, discovery, kind])


def fake(store: Store, query: str, name: str, value: float, seconds: float = 2.0) -> None:
    """A run record without having run anything."""
    state = vs.decode(query)[0]
    what, (spec,) = vs.to_scenario(state), vs.to_methods(state, [name])
    metrics = {"healed_x_utility": value, "healed": value, "seconds": seconds}
    payload = {"method": name, "params": {}, "metrics": metrics, "seconds": seconds, "device": "cpu", "trajectory": []}
    specs = {"scenario": what.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    store.put(what.run_key(spec), "run", specs, payload, {})


def test_an_empty_store_shows_what_could_be_run(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("heatmap", QUICK)
    words = texts(app)
    assert "What you see" in words
    assert "Nothing has been run" in words
    assert "**60 cells without a run**; 180 runs missing in all, after 9 original models." in words
    assert "once one run on this dataset has been measured" in words
    assert "figure:grid" in keys(app)
    assert not app.error
    assert not app.warning


IMAGES = "training.epochs=2&rem.epochs=2"


def test_kinds_have_columns_of_their_own(open_page: OpenPage, fresh_store: Path) -> None:
    store = Store.open(fresh_store)
    fake(store, f"{IMAGES}&regularity=0.0", "rem", 0.5)
    fake(store, f"{IMAGES}&regularity=0.25", "rem", 0.9)  # a place of the dial that is no kind
    fake(store, f"{IMAGES}&t_kind=warp", "rem", 0.75)
    fake(store, f"{IMAGES}&corruption=asymmetric", "rem", 0.125)
    fake(store, f"{IMAGES}&corruption=asymmetric&discovery=0.5", "rem", 0.25)
    fake(store, f"{IMAGES}&t_kind=warp&trigger.strength=1.0", "rem", 0.99)  # a warp, but not the usual one
    app = open_page("heatmap", f"{IMAGES}&tasks=kinds")
    bars = json.loads(next(e for e in app.main if getattr(e, "key", None) == "figure:grid").proto.spec)["data"][0]
    told = {tuple(cell): text for cell, text in zip(bars["customdata"], bars["hovertext"], strict=True)}
    mine = {(kind, rate): text for (name, _, _, rate, kind), text in told.items() if name == "rem"}
    assert "50.0 %" in mine["random", 0.3]
    assert "75.0 %" in mine["warp", 0.3]
    assert "12.5 %" in mine["asymmetric", 0.3]
    assert all("not run yet" in mine[kind, 0.3] for kind in ("confusion", "patch", "blended", "spurious"))
    assert {rate for _, rate in mine} == {0.3}
    assert "Kinds with results at other discovery rates: 50 %, 1 kind." in texts(app)
    assert "1 run of this dataset has other options" in texts(app)
    assert "trigger.kind=warp, trigger.strength=1.0" in texts(app)
    app.slider(key="control:discovery").set_value(0.5).run()
    assert "25.0 %" in hover(app, "rem", "epochs=2", 0.5, 0.5, "asymmetric")
    assert "not run yet" in hover(app, "rem", "epochs=2", 1.0, 0.5, "warp")
    app.slider(key="control:discovery").set_value(0.3).run()
    app.selectbox(key="cell-row").set_value(("rem", "epochs=2")).run()
    app.selectbox(key="cell-task").set_value(Cell(1.0, 0.3, "warp")).run()
    assert link(app)["cell"] == "rem,warp:1,0.3,epochs=2"
    app.button(key="to-compare:0").click().run()
    assert (link(app)["t_kind"], link(app)["tasks"]) == ("warp", "kinds")
    assert "corruption" not in link(app)


def test_a_kind_with_words_of_its_own_has_a_heatmap_too(open_page: OpenPage, fresh_store: Path) -> None:
    seen = f"{IMAGES}&corruption=asymmetric&corruption.matrix=1>7; 3>8; 4>9"
    fake(Store.open(fresh_store), seen, "rem", 0.625)
    app = open_page("heatmap", f"{seen}&tasks=kinds")
    assert "62.5 %" in hover(app, "rem", "epochs=2", 0.5, 0.3, "asymmetric")
    assert "not run yet" in hover(app, "rem", "epochs=2", 1.0, 0.3, "warp")
    assert not open_page("heatmap", seen).error  # on the dial these words have no meaning


def test_a_click_opens_the_runs_and_their_comparison(open_page: OpenPage, fresh_store: Path) -> None:
    store = Store.open(fresh_store)
    for seed in range(2):
        fake(store, f"{QUICK}&regularity=0.5&seed={seed}", "rem", 0.25 + 0.5 * seed)
    app = open_page("heatmap", QUICK)
    assert "50.0 % ± 25.0 % (standard error)<br>2 runs" in hover(app, "rem", "epochs=2", 0.5, 0.3)
    assert "not run yet" in hover(app, "rem", "epochs=2", 1.0, 0.3)
    app.selectbox(key="cell-row").set_value(("rem", "epochs=2")).run()
    app.selectbox(key="cell-task").set_value(Cell(0.5, 0.3)).run()
    assert not app.exception
    assert link(app)["cell"] == "rem,0.5,0.3,epochs=2"
    table = next(e for e in app.dataframe if "Compare" in e.value.columns).value
    assert list(table["Seed"]) == [0, 1]
    assert table["Healed × utility"].tolist() == [0.25, 0.75]
    again, notices = vs.decode(table["Compare"].iloc[1].partition("?")[2])
    assert notices == []
    assert (again["regularity"], again["discovery"], again["seed"]) == (0.5, 0.3, 1)
    assert set(again["methods"]) == {"rem", "retrain", "oracle_retrain"}
    wanted = vs.decode(f"{QUICK}&regularity=0.5&seed=1")[0]
    assert vs.to_scenario(again).key == vs.to_scenario(wanted).key
    app.button(key="to-compare:1").click().run()
    assert not app.exception
    assert "Compare methods" in texts(app)
    assert (link(app)["regularity"], link(app)["seed"]) == ("0.5", "1")


def test_missing_runs_are_run_and_measured(open_page: OpenPage, fresh_store: Path) -> None:
    query = f"{QUICK}&rows=chosen&tasks=stored&seeds=1"
    app = open_page("heatmap", query)
    assert "4 runs missing in all, after 1 original model" in texts(app)
    app.button(key="grid-run").click().run()
    finish_jobs()
    app.run()
    assert not app.exception
    assert "missing in all" not in texts(app)
    assert "1 values of stored models" in texts(app)
    app.button(key="grid-measure").click().run()
    finish_jobs()
    app.run()
    assert "have not been measured" not in texts(app)
    state = vs.decode(query)[0]
    records = Store.open(fresh_store).find("run")
    assert {r.key for r in records} == {
        vs.to_scenario(state).run_key(s) for s in vs.to_methods(state, ["finetune", "rem", "retrain", "oracle_retrain"])
    }
    app.button_group(key="control:scale").set_value("relative").run()
    assert not app.exception
    assert link(app)["scale"] == "relative"


def test_the_estimate_uses_measured_seconds(open_page: OpenPage, fresh_store: Path) -> None:
    fake(Store.open(fresh_store), QUICK, "rem", 0.5, seconds=4.0)
    app = open_page("heatmap", f"{QUICK}&rows=chosen&tasks=stored&seeds=1")
    assert "About 16 s" in texts(app)  # finetune, retrain, the oracle and the original at the mean of what is known
    app.number_input(key="control:seeds").set_value(2).run()
    assert link(app)["seeds"] == "2"
    assert "7 runs missing" in texts(app)


@pytest.mark.parametrize(
    "query",
    ["cell=rem", "cell=gone,1,1", "cell=rem,9,9", "cell=%00", "rows=x", "tasks=&scale=z", "cell_metric=no", "seeds=99",
     "discovery=0&rows=all", "dataset=spirals&tasks=stored", "rows=chosen&families=dampening&order=score"],
)  # fmt: skip
def test_a_strange_link_opens_all_the_same(open_page: OpenPage, fresh_store: Path, query: str) -> None:
    app = open_page("heatmap", query)
    assert not app.exception
    assert "figure:grid" in keys(app)


def test_controls_are_in_the_link_and_can_be_hidden_and_locked(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("heatmap", QUICK)
    app.selectbox(key="control:cell_metric").set_value("utility").run()
    app.button_group(key="control:order").set_value("score").run()
    assert (link(app)["cell_metric"], link(app)["order"]) == ("utility", "score")
    hidden = keys(open_page("heatmap", "hide=cell_metric,grid,grid_runs,order,grid_missing"))
    assert not hidden & {"control:cell_metric", "figure:grid", "cell-row", "control:order", "grid-run"}
    locked = open_page("heatmap", "lock=cell_metric,scale")
    assert locked.selectbox(key="control:cell_metric").disabled
    assert locked.button_group(key="control:scale").disabled
    assert not locked.selectbox(key="control:dataset").disabled


def test_the_export_has_the_numbers_of_the_picture(open_page: OpenPage, fresh_store: Path) -> None:
    fake(Store.open(fresh_store), QUICK, "rem", 0.5)
    app = open_page("heatmap", QUICK)
    downloads = {element.key for element in app.get("download_button")}
    assert {"export:csv", "export:tex", "export:html", "csv:grid"} <= downloads


def test_other_options_are_named_and_not_mixed_in(open_page: OpenPage, fresh_store: Path) -> None:
    store = Store.open(fresh_store)
    fake(store, QUICK, "rem", 0.5)
    fake(store, QUICK.replace("amount=60", "amount=50"), "rem", 0.9)
    app = open_page("heatmap", f"{QUICK}&cell=rem,1,0.3,epochs=2")
    assert "1 run of this dataset has other options" in texts(app)
    table: pd.DataFrame = next(e for e in app.dataframe if "Compare" in e.value.columns).value
    assert table["Healed × utility"].tolist() == [0.5]


def test_the_gallery_fills_what_the_store_lacks(
    open_page: OpenPage, fresh_store: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("gallery")
    rows = []
    for seed, value in enumerate((0.6, 0.8)):
        state = vs.default_state() | {"seed": seed}
        what, (spec,) = vs.to_scenario(state), vs.to_methods(state, ["rem"])
        task = {"dataset": "digits", "model": "cnn", "amount": 0.06, "regularity": 1.0, "discovery": 0.3, "seed": seed}
        who = {"method": "rem", "label": "REM", "oracle": False, "key": what.run_key(spec)}
        rows.append(task | who | {"healed_x_utility": value})
    pd.DataFrame([*rows, rows[0] | {"method": "npo", "key": "outdated"}]).to_csv(folder / "runs.csv", index=False)
    (folder / "records.json").write_text("[]")
    (folder / "provenance.json").write_text(
        '{"date": "2026-01-02", "command": "make", "machine": "here", "versions": {"torch": "2"}}'
    )
    monkeypatch.setenv("UNLEARN_GALLERY", str(folder))
    app = open_page("heatmap", "cell=rem,1,0.3")
    assert not app.exception
    assert "70.0 % ± 10.0 % (standard error)<br>2 runs, from the gallery" in hover(app, "rem", "", 1.0, 0.3)
    assert "computed on 2026-01-02 with `make` on here (torch 2). 1 results are left out" in texts(app)
    table = next(e for e in app.dataframe if "Compare" in e.value.columns).value
    assert list(table["Source"]) == ["gallery", "gallery"]
    assert not Store.open(fresh_store).find()


# --- the two sets of values -------------------------------------------------------------------------------------------------


def rows_of(app: AppTest) -> set[tuple[str, str]]:
    """Method and variant of the picture's rows."""
    bars = json.loads(next(e for e in app.main if getattr(e, "key", None) == "figure:grid").proto.spec)["data"][0]
    return {(cell[0], cell[1]) for cell in bars["customdata"]}


def test_the_switch_chooses_which_rows_are_shown_and_run(open_page: OpenPage, fresh_store: Path) -> None:
    store = Store.open(fresh_store)
    for values, value in (("tuned", 0.5), ("paper", 0.25)):
        fake(store, f"values={values}&methods=scrub,npo", "scrub", value)
    fake(store, "methods=rem_tuned,npo", "rem_tuned", 0.7)
    names = "methods=npo,ssd&tasks=stored&seeds=1"
    shown = {query: rows_of(open_page("heatmap", f"{names}&{query}")) for query in ("", "values=paper", "rows=both")}
    fixed = {("retrain", ""), ("oracle_retrain", ""), ("rem_tuned", "")}
    assert shown[""] == fixed | {("scrub", ""), ("npo", ""), ("ssd", "")}
    assert shown["values=paper"] == fixed | {("scrub", "paper"), ("npo", "paper"), ("ssd", "paper")}
    assert shown["rows=both"] == fixed | {("scrub", ""), ("scrub", "paper"), ("npo", ""), ("ssd", "")}
    app = open_page("heatmap", names)
    assert "1 run has the papers’ values: switch **Values**, or show **both values**, to see them." in texts(app)
    app.button_group(key="control:values").set_value("paper").run()
    assert link(app)["values"] == "paper"
    assert "25.0 %" in hover(app, "scrub", "paper", 1.0, 0.3)
    assert "1 run has the tuned values" in texts(app)
    everything = rows_of(open_page("heatmap", f"{names}&values=paper&rows=all"))
    assert {("duck", "paper"), ("rem", "paper"), ("rem_discover", "")} <= everything
    assert not {("duck", ""), ("rem", "")} & everything


def test_missing_runs_are_those_of_the_chosen_values(open_page: OpenPage, fresh_store: Path) -> None:
    query = f"{QUICK.replace('&rem.epochs=2', '').replace('finetune,rem', 'finetune,ssd')}&values=paper"
    app = open_page("heatmap", f"{query}&rows=chosen&tasks=stored&seeds=1")
    app.button(key="grid-run").click().run()
    finish_jobs()
    state = vs.decode(query)[0]
    keys_of_paper = {vs.to_scenario(state).run_key(s) for s in vs.to_methods(state, ["finetune", "ssd"])}
    assert keys_of_paper <= {record.key for record in Store.open(fresh_store).find("run")}
    tuned = state | {"values": "tuned"}
    assert not {vs.to_scenario(tuned).run_key(s) for s in vs.to_methods(tuned, ["finetune", "ssd"])} & {
        record.key for record in Store.open(fresh_store).find("run")
    }


@pytest.mark.parametrize("override", ["", "&scrub.alpha=0.37"])
@pytest.mark.parametrize("values", ["tuned", "paper"])
def test_a_cell_opens_in_compare_with_its_values(open_page: OpenPage, fresh_store: Path, values: str, override: str) -> None:
    stored = f"values={values}&methods=scrub,npo{override}"
    fake(Store.open(fresh_store), stored, "scrub", 0.5)
    state = vs.decode(stored)[0]
    variant = ", ".join(filter(None, ["paper" if values == "paper" else "", override and "alpha=0.37"]))
    # The view itself has the other values, and others of its own for this method.
    other = {"tuned": "paper", "paper": "tuned"}[values]
    app = open_page(
        "heatmap", f"values={other}&methods=scrub,npo&scrub.gamma=2.2&cell=scrub,1,0.3" + f",{variant}" * bool(variant)
    )
    table = next(e for e in app.dataframe if "Compare" in e.value.columns).value
    again, notices = vs.decode(table["Compare"].iloc[0].partition("?")[2])
    assert notices == []
    assert again["values"] == values
    wanted = vs.to_scenario(state).run_key(vs.to_methods(state, ["scrub"])[0])
    assert vs.to_scenario(again).run_key(vs.to_methods(again, ["scrub"])[0]) == wanted
    app.button(key="to-compare:0").click().run()
    assert not app.exception
    assert link(app).get("values", "tuned") == values
    assert link(app).get("scrub.alpha", "") == ("0.37" if override else "")
    assert "scrub.gamma" not in link(app)


def test_rows_that_a_filter_leaves_out_are_spoken_of(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("heatmap", f"{QUICK}&rows=all&families=dampening&knows=F-right,truth")
    assert "Only methods of these kinds: dampening; told F · right, truth." in texts(app)
    assert "Only methods" not in texts(open_page("heatmap", f"{QUICK}&rows=all"))
