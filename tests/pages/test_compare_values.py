"""Compare's switch between the two sets of values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from apptools import QUICK, figure, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.engine import Engine
from unlearn_core.presets import value_sets
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store

OpenPage = Callable[..., AppTest]


def test_the_switch_chooses_which_values_the_methods_have(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("compare", "methods=scrub,rem_tuned,finetune", methods_open=True)
    switch = app.button_group(key="control:values")
    assert (switch.options, switch.value) == (["tuned", "paper"], "tuned")
    tuned = app.number_input(key="parameter:scrub.learning_rate").value
    assert "papers’ values" not in texts(app)
    switch.set_value("paper").run()
    assert not app.exception
    assert link(app)["values"] == "paper"
    assert app.number_input(key="parameter:scrub.learning_rate").value == 5e-4 != tuned
    words = texts(app)
    assert "papers’ values" in words  # the switch is in a drawer
    assert "As published ([arXiv:2302.09880]" in words
    assert "It was never published, and has one set of values." in words
    assert any("--values paper" in code.value for code in app.code)
    app.number_input(key="parameter:scrub.learning_rate").set_value(tuned).run()
    assert float(link(app)["scrub.learning_rate"]) == tuned
    app.button_group(key="control:values").set_value("tuned").run()
    assert {"values", "scrub.learning_rate"}.isdisjoint(link(app))  # it equals the tuned value, and departs from nothing


def test_both_sets_stand_side_by_side(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("compare", "methods=scrub,rem_tuned", methods_open=True)
    words = texts(app)
    assert "<th>Parameter</th><th>Tuned</th><th>Paper</th>" in words
    tuned, paper = value_sets("scrub", "digits")["learning_rate"]
    assert f"<td>learning_rate</td><td>{tuned:g}</td><td>{paper:g}</td>" in words


def test_the_switch_can_be_hidden_and_locked(open_page: OpenPage, fresh_store: Path) -> None:
    hidden = open_page("compare", "hide=values&values=paper")
    assert "control:values" not in {element.key for element in hidden.button_group}
    assert "**the papers’ values**" in texts(hidden)
    assert open_page("compare", "lock=values").button_group(key="control:values").disabled


def test_table_and_pictures_say_which_values_were_used(open_page: OpenPage, fresh_store: Path) -> None:
    query = QUICK.replace("finetune,rem", "finetune,jit").replace("&rem.epochs=2", "") + "&values=paper"
    state, notices = vs.decode(query)
    assert notices == []
    engine = Engine(Store.open(fresh_store), address="inline")
    stages = plan_runs(vs.to_scenario(state), vs.to_methods(state, ["finetune", "jit", "retrain"]))
    assert engine.wait(engine.submit(stages, "test"), 120).state == "done"
    engine.close()
    app = open_page("compare", query)
    table = app.dataframe[0].value["Model"].tolist()
    assert [name.partition(" ")[2] for name in table] == ["Original", "Fine-tune [paper]", "JiT [paper]", "Retrain"]
    assert "JiT [paper]" in figure(app, "scatter")
    assert "[paper]" not in str(open_page("compare", query.replace("&values=paper", "")).dataframe)
