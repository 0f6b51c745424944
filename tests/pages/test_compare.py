"""Compare: finding methods among many, what each of them is, any metric, classes, paces, the worst case."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from apptools import QUICK, figure, finish_jobs, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.engine import Engine
from unlearn_core.methods import registry
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store

OpenPage = Callable[..., AppTest]
TABS = {
    "scatter": "map",
    "trajectories": "map",
    "classes": "classes",
    "cost": "cost",
    "difference": "cost",
    "metrics": "meanings",
}
"""Where the pictures are; a tab is drawn when it is opened."""


def test_like_is_offered_with_like(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("compare", "knows=F-right,trusted")
    alike = {method.label for method in registry if method.knows() in (("F", "right labels"), ("trusted",))}
    chooser = app.multiselect(key="control:methods")
    assert alike < set(chooser.options)
    assert len(chooser.options) == len(alike) + len(vs.DEMO_METHODS)  # what is already chosen stays
    app.button_group(key="control:knows").set_value(["truth"]).run()
    assert link(app)["knows"] == "truth"
    assert not alike & set(app.multiselect(key="control:methods").options)


def test_the_family_filter_offers_its_methods_and_keeps_the_chosen(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("compare")
    every = app.multiselect(key="control:methods").options
    assert len(every) == len(registry)
    app.button_group(key="control:families").set_value(["dampening"]).run()
    assert link(app)["families"] == "dampening"
    chooser = app.multiselect(key="control:methods")
    dampening = {method.label for method in registry if method.family == "dampening"}
    assert dampening < set(chooser.options)
    assert len(chooser.options) == len(dampening) + len(vs.DEMO_METHODS)
    assert chooser.value == list(vs.DEMO_METHODS)
    again = open_page("compare", "families=dampening")
    assert again.multiselect(key="control:methods").options == chooser.options


def test_what_the_gallery_has_is_shown_at_once_and_can_still_be_run(
    open_page: OpenPage, fresh_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "seed=3&methods=finetune,rem"
    state, _ = vs.decode(query)
    scenario = vs.to_scenario(state)
    task = {"dataset": "digits", "model": "cnn", "amount": 0.06, "regularity": 1.0, "discovery": 0.3, "seed": 3}
    keys = {"original": scenario.original_key, "rem": scenario.run_key(vs.to_methods(state, ["rem"])[0])}
    values = {"original": 0.125, "rem": 0.875}
    rows = [task | {"method": m, "label": m, "oracle": False, "key": key, "healed": values[m]} for m, key in keys.items()]
    pd.DataFrame([*rows, rows[0] | {"discovery": 0.5, "healed": 0.25}]).to_csv(tmp_path / "runs.csv", index=False)
    (tmp_path / "records.json").write_text("[]")
    (tmp_path / "provenance.json").write_text('{"date": "2026-01-02", "command": "make", "machine": "here"}')
    assert "Nothing is computed yet" in texts(open_page("compare", query))
    monkeypatch.setenv("UNLEARN_GALLERY", str(tmp_path))
    app = open_page("compare", query)
    shown = next(e for e in app.dataframe if "Healed" in e.value.columns).value
    assert list(shown["Healed"]) == [0.125, 0.875]
    assert list(shown["State"]) == ["gallery", "gallery"]
    assert "computed on 2026-01-02" in texts(app)
    assert app.button(key="run").label == "Run"
    assert not Store.open(fresh_store).find()


def test_a_method_that_cannot_be_used_is_named_with_its_reason(open_page: OpenPage, fresh_store: object) -> None:
    registry.disable("broken", "it has *no* label")
    try:
        words = texts(open_page("compare", methods_open=True))
    finally:
        registry.remove("broken")
    assert r"**broken** is disabled: it has \*no\* label" in words
    assert "is disabled" not in texts(open_page("compare", methods_open=True))


def test_each_method_explains_itself(open_page: OpenPage, fresh_store: object) -> None:
    assert registry.get("npo").summary not in texts(open_page("compare", "methods=npo,etd,rem"))  # drawn when it is opened
    words = texts(open_page("compare", "methods=npo,etd,rem,jit", methods_open=True))
    for name in ("npo", "etd", "rem", "retrain", "oracle_retrain"):
        assert registry.get(name).summary in words
    assert "https://arxiv.org/abs/2404.05868" in words
    assert "does without the retain set" in words
    assert "an original of its own" in words
    assert "Aims at triggers (regularity 0.75 to 1), at any discovery rate." in words
    assert "Aims at random labels (regularity 0 to 0.25)" in words
    assert "This view lies inside." in words
    assert "This view lies <b>outside</b>." in words
    assert "not tuned" in words or "Tuned by" in words


@pytest.mark.parametrize("start", range(0, len(registry), vs.MAX_METHODS))
def test_the_form_of_every_method_opens(open_page: OpenPage, fresh_store: object, start: int) -> None:
    names = registry.names()[start:][: vs.MAX_METHODS]
    names = names if len(names) >= vs.MIN_METHODS else registry.names()[-vs.MIN_METHODS :]
    person = "person.typed=1&person.checked=20"  # without these, methods that need them have no form
    app = open_page("compare", f"dataset=blobs&{person}&methods={','.join(names)}", methods_open=True)
    shown = {e.key for kind in (app.number_input, app.checkbox, app.selectbox, app.text_input) for e in kind}
    for name in names:
        assert {f"parameter:{name}.{field}" for field in registry.get(name).Params.model_fields} <= shown


def test_hidden_parts_of_the_choice_are_left_out(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("compare", "hide=families,knows,explanation,values", methods_open=True)
    assert not {"control:families", "control:knows", "control:values"} & {group.key for group in app.button_group}
    assert registry.get("rem").summary not in texts(app)
    assert app.number_input(key="parameter:rem.epochs")
    assert registry.get("rem").summary in texts(open_page("compare", "hide=parameters", methods_open=True))


def test_quick_is_a_valid_link() -> None:
    assert vs.decode(QUICK)[1] == []


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize("dataset", ["digits", "blobs"])
@pytest.mark.parametrize("values", vs.VALUE_SETS)
def test_every_parameter_has_a_widget_of_its_kind_and_the_default_that_runs(name: str, dataset: str, values: str) -> None:
    state = vs.default_state() | {"dataset": dataset, "methods": (name, "finetune"), "values": values}
    (spec,) = vs.to_methods(state, [name])
    kinds = {bool: "bool", int: "int", float: "float", str: "choice"}
    runs = registry.get(name).all_params(dict(spec.params))
    for field in vs.section_fields(state, name):
        assert field.kind in (kinds[type(runs[field.name])], "float"), field
        assert field.default == runs[field.name]
        assert field.clamp(field.default) == (field.default, True)
        if field.kind == "choice":
            assert field.default in field.choices


def test_the_table_shows_any_metrics_that_are_asked_for(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", QUICK)
    headlines = list(app.dataframe[0].value.columns)
    assert "Healed × utility" in headlines
    assert not any("AUS" in name for name in headlines)
    app.multiselect(key="control:columns").set_value(["aus", "gap_retrain", "gap_oracle", "attack_success"]).run()
    assert link(app)["columns"] == "aus,gap_retrain,gap_oracle,attack_success"
    assert list(app.dataframe[0].value.columns)[3:6] == ["AUS (class-removal form)", "Gap to retraining", "Gap to the oracle"]
    app.button(key="columns:All metrics").click().run()
    shown = set(app.dataframe[0].value.columns)
    assert {"AUS (class-removal form)", "Gap to retraining", "Memorised", "Membership AUC", "Relearn time"} <= shown
    app.button(key="columns:Headlines").click().run()
    assert "columns" not in link(app)
    assert list(app.dataframe[0].value.columns) == headlines


def test_reference_models_are_offered_where_their_metric_is_shown(open_page: OpenPage, computed: vs.State) -> None:
    assert not [b for b in open_page("compare", f"{QUICK}&columns=healed").button if b.key == "reference-models"]
    app = open_page("compare", f"{QUICK}&columns=healed,rmia_auc")
    app.button("reference-models").click().run()
    finish_jobs()
    app.run()
    assert not [b for b in app.button if b.key == "reference-models"]
    table = next(frame.value for frame in app.dataframe if "RMIA AUC" in frame.value)
    assert table["RMIA AUC"].str.contains(r"\d").any() if table["RMIA AUC"].dtype == object else table["RMIA AUC"].notna().any()


def test_columns_without_any_value_are_named(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", QUICK + "&columns=healed,confused_accuracy")
    assert "Without a value here: Accuracy on the confused classes." in texts(app)


def test_a_link_without_columns_shows_the_headlines(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", QUICK + "&columns=")
    assert "Healed × utility" in app.dataframe[0].value.columns
    assert not app.warning


# --- the worst case ---------------------------------------------------------------------------------------------------------


def fake_run(store: Store, query: str, name: str, value: float) -> None:
    """A run record without having run anything."""
    state = vs.decode(query)[0]
    what, (spec,) = vs.to_scenario(state), vs.to_methods(state, [name])
    payload = {"method": name, "params": {}, "metrics": {"healed_x_utility": value}, "seconds": 1.0, "device": "cpu"}
    spec_of = {"scenario": what.model_dump(mode="json"), "method": spec.model_dump(mode="json")}
    store.put(what.run_key(spec), "run", spec_of, payload | {"trajectory": []}, {})


def opened_worst(open_page: OpenPage) -> AppTest:
    app = open_page("compare", QUICK)
    app.session_state["worst"] = True
    return app.run()


def test_the_worst_case_sets_the_dials_and_says_so(open_page: OpenPage, fresh_store: Path) -> None:
    store = Store.open(fresh_store)
    for regularity, discovery, value in ((1, 0.3, 0.9), (0.5, 0.1, 0.2), (0, 1, 0.6)):
        fake_run(store, f"{QUICK}&regularity={regularity}&discovery={discovery}", "rem", value)
    fake_run(store, QUICK, "finetune", 0.1)
    app = opened_worst(open_page)
    assert not app.exception
    assert app.button(key="worst:finetune").disabled
    assert "Fewer than two tasks" in app.button(key="worst:finetune").help
    app.button(key="worst:rem").click().run()
    assert (link(app)["regularity"], link(app)["discovery"]) == ("0.5", "0.1")
    said = [info.value for info in app.info if "REM does worst" in info.value]
    assert said == [
        "REM does worst at regularity 0.5 (interclass confusion) with 10 % discovered: healed × utility is 20 % (seed 0), "
        "the lowest of 3 stored tasks, and the dials are set to it."
    ]
    app.multiselect(key="control:methods").set_value(["finetune", "npo"]).run()
    assert "does worst" not in texts(app)


def test_nothing_is_read_before_the_worst_case_is_asked_for(
    open_page: OpenPage, fresh_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("asked for nothing")

    monkeypatch.setattr("unlearn_core.views.heatmap.worst_case.worst_cases", refuse)
    open_page("compare", QUICK)


# --- classes and time -----------------------------------------------------------------------------------------------------


def test_classes_and_time_have_controls_in_the_link(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", QUICK)
    assert "share of the method's own work" in figure(app, "trajectories")
    app.button_group(key="control:pace").set_value("round").run()
    assert "round of the method" in figure(app, "trajectories")
    app.session_state["state"] = app.session_state["state"] | {"tab": "classes"}
    app.run()
    assert "clean class" in figure(app, "classes")
    app.button_group(key="control:by_class").set_value("utility").run()
    assert (link(app)["by_class"], link(app)["pace"]) == ("utility", "round")
    assert "test examples" in figure(app, "classes")


@pytest.mark.parametrize("panel", ["scatter", "trajectories", "classes", "cost", "difference"])
def test_each_picture_can_be_hidden(open_page: OpenPage, computed: vs.State, panel: str) -> None:
    def pictures(query: str) -> set[str]:
        app = open_page("compare", f"{query}&tab={TABS[panel]}")
        return {str(getattr(element, "key", "")) for element in app.main} & {f"figure:{name}" for name in TABS}

    assert pictures(QUICK) - pictures(f"{QUICK}&hide={panel}") == {f"figure:{panel}"}


def test_every_picture_and_the_table_can_be_downloaded(open_page: OpenPage, computed: vs.State) -> None:
    apps = [open_page("compare", f"{QUICK}&tab={tab}") for tab in set(TABS.values())]
    downloads = {element.key.removeprefix("csv:") for app in apps for element in app.get("download_button")}
    assert {"compare-table", *TABS} <= downloads


def test_what_a_run_settled_by_itself_is_said_below_the_table(
    shared_store: Path, open_page: OpenPage, computed: vs.State
) -> None:
    asked = QUICK.replace("finetune,rem", "finetune,rem_tuned").replace("rem.epochs=2", "rem_tuned.epochs=1&rem_tuned.tries=1")
    state, notices = vs.decode(asked)
    assert notices == []
    engine = Engine(Store.open(shared_store), address="inline")
    view = engine.wait(engine.submit(plan_runs(vs.to_scenario(state), vs.to_methods(state, ["rem_tuned"])), "test"), 120)
    engine.close()
    assert view.state == "done", view
    said = [caption.value for caption in open_page("compare", asked).caption if caption.value.startswith("REM, self-tuned ")]
    assert len(said) == 1
    assert not [
        caption.value for caption in open_page("compare", QUICK).caption if caption.value.startswith("REM, self-tuned ")
    ]


def test_what_takes_longer_than_training_anew_is_said_before_it_runs(open_page: OpenPage, fresh_store: Path) -> None:
    said = texts(open_page("compare", "dataset=digits&methods=finetune,rem_discover"))
    assert re.search(r"1: Fine-tune 0\.\d+ · REM \+ discovery [4-9]\.\d · .* is expected to take about [4-9]\.\d times", said)
    assert said.count("is expected to take about") == 1 == said.count("REM + discovery is expected")


def test_where_nothing_was_taken_up_nothing_is_praised(open_page: OpenPage, fresh_store: Path) -> None:
    """Three blobs with random labels: the original predicts most of the corruption right before anything is unlearned."""
    query = QUICK.replace("finetune,rem", "finetune,retrain").replace("&rem.epochs=2", "") + "&regularity=0"
    state, notices = vs.decode(query)
    assert notices == []
    engine = Engine(Store.open(fresh_store), address="inline")
    assert engine.wait(engine.submit(plan_runs(vs.to_scenario(state), vs.to_methods(state)), "test"), 120).state == "done"
    engine.close()
    app = open_page("compare", query)
    said = texts(app)
    assert said.count("the model never took these labels up, so there is nothing to heal.") == 3  # outcome, stars, picture
    assert "★" not in said
    assert "Pareto" not in said
    assert " heals " not in said
    assert "★".encode() not in app.dataframe[0].proto.SerializeToString()
