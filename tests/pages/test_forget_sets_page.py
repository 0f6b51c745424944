"""Forget set, the sets that a person makes: decided, named, read from files, run and compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from apptools import finish_jobs, link, texts
from forgettools import QUERY, buttons, figures, scenario_of, sets, spec_of
from streamlit.testing.v1 import AppTest

from unlearn_core.forget_sets import ForgetSet
from unlearn_core.store import Store
from unlearn_core.views.suspects.data import open_suspects

OpenPage = Callable[..., AppTest]


def test_decisions_make_a_set_that_can_be_undone(open_page: OpenPage, place: Path) -> None:
    app = open_page("forget", f"{QUERY}&cut=5")
    base = scenario_of(QUERY)
    assert buttons(app)["set-undo"].disabled
    assert buttons(app)["again"].disabled
    buttons(app)["accept-above"].click().run()
    assert not app.exception
    found = open_suspects(Store.open(place), base, spec_of(QUERY))
    top = found.table["index"].head(5).tolist()
    made = sets(place).get(link(app)["set"])
    assert sets(place).now(made).indices == tuple(sorted([*found.forget, *top]))
    assert "5 added to the set in use" in texts(app)
    assert "35 examples" in texts(app)
    assert buttons(app)["accept-above"].disabled
    listed = next(frame for frame in app.dataframe if "truth" in frame.value.columns)  # the truth stays in sight
    assert listed.value["status"].head(6).tolist() == ["✔"] * 5 + [""]
    assert sum(column["width"] for column in json.loads(listed.proto.columns).values() if "width" in column) <= 600
    buttons(app)["set-undo"].click().run()
    assert "the same as the set in use" in texts(app)
    assert sets(place).now(sets(place).get(made.id)).indices == found.forget
    buttons(app)["set-redo"].click().run()
    assert "5 added to the set in use" in texts(app)
    assert buttons(app)["set-redo"].disabled


def test_an_edited_set_is_run_and_compared_and_used(open_page: OpenPage, place: Path) -> None:
    base = scenario_of(QUERY)
    found = open_suspects(Store.open(place), base, spec_of(QUERY))
    chosen = (*found.forget, *found.table["index"].head(20).tolist())
    made = sets(place).create("the first twenty", ForgetSet(tuple(sorted(chosen))))
    app = open_page("forget", f"{QUERY}&set={made.id}")
    assert "**the first twenty** · 50 examples" in texts(app)
    buttons(app)["again"].click().run()
    finish_jobs()
    app.run()
    assert not app.exception
    assert buttons(app)["again"].disabled
    app.session_state["parts"] = "What your set changes"
    app.run()
    changed = figures(app)["forget-change"]
    assert {trace["name"] for trace in changed["data"] if trace.get("name")} >= {"REM, before", "REM, after"}
    assert "The next suspects" in texts(app)
    buttons(app)["use"].click().run()
    assert link(app)["forget"] == made.key
    assert "50 in an edited forget set" in texts(app)
    assert "the same as the set in use" in texts(app)
    assert app.button(key="run").disabled  # it has been computed by the comparison

    compare = open_page("compare", f"{QUERY}&forget={made.key}")
    assert "50 in an edited forget set" in texts(compare)
    assert "edited forget set of 50 examples" in texts(compare)
    buttons(app)["use-rate"].click().run()
    assert "forget" not in link(app)


def test_links_to_sets_that_are_not_here_say_so(open_page: OpenPage, place: Path) -> None:
    app = open_page("forget", f"{QUERY}&forget=0123456789abcdef")
    assert any("not in this store" in warning.value for warning in app.warning)
    assert "forget" not in link(app)
    made = sets(place).create("of other data", ForgetSet((1, 2, 3)))
    other = open_page("craft", f"{QUERY.replace('amount=60', 'amount=50')}&forget={made.key}")
    assert any("belongs to other data" in warning.value for warning in other.warning)
    craft = open_page("craft", f"{QUERY}&forget={made.key}")
    assert "edited forget set of **3** examples" in texts(craft)
    craft.slider(key="control:discovery").set_value(0.4).run()
    assert "forget" not in link(craft)


def test_sets_are_renamed_removed_and_brought_back(open_page: OpenPage, place: Path) -> None:
    made = sets(place).create("to be renamed", ForgetSet((1, 2, 3)))
    app = open_page("forget", f"{QUERY}&set={made.id}")
    app.session_state["parts"] = "Your set"
    app.run()
    assert "The most doubtful come first" in texts(app)
    app.text_input(key="set-name").set_value("better name").run()
    assert sets(place).get(made.id).name == "better name"
    app.number_input(key="add-number").set_value(9).run()
    buttons(app)["add-one"].click().run()
    assert sets(place).now(sets(place).get(made.id)).indices == (1, 2, 3, 9)
    taken = sets(place).create("taken", ForgetSet((1,)))
    app.text_input(key="set-name").set_value(taken.name).run()
    assert any("called 'taken' already" in warning.value for warning in app.warning)
    assert app.text_input(key="set-name").value == "better name"
    buttons(app)["set-remove"].click().run()
    assert made.id not in {one.id for one in sets(place).all()}
    buttons(app)["set-restore"].click().run()
    assert sets(place).get(made.id).name == "better name"
    assert not app.exception


def test_a_file_becomes_a_set_or_a_sentence(open_page: OpenPage, place: Path) -> None:
    app = open_page("forget", QUERY)
    app.session_state["parts"] = "Your set"
    app.run()
    app.file_uploader(key="set-file").set_value(("bad.csv", b"index\n7\n7.5\n", "text/csv")).run()
    assert any("has an index that is no whole number, '7.5'" in error.value for error in app.error)
    app.file_uploader(key="set-file").set_value(("from outside.csv", b"index,note\n7,odd\n11,\n", "text/csv")).run()
    buttons(app)["set-import"].click().run()
    assert not app.exception
    made = sets(place).get("from outside")
    assert sets(place).now(made) == ForgetSet((7, 11), (), {}, {7: "odd"})
    assert link(app)["set"] == made.id


def test_with_nothing_known_a_set_can_be_made_by_hand(open_page: OpenPage, place: Path) -> None:
    app = open_page("forget", QUERY.replace("discovery=0.5", "discovery=0") + "&set=new")
    assert "Nothing is known to be corrupted yet" in texts(app)
    assert buttons(app)["again"].disabled
    app.number_input(key="add-number").set_value(4).run()
    buttons(app)["add-one"].click().run()
    assert buttons(app)["again"].disabled
    buttons(app)["use"].click().run()
    assert not app.exception
    assert "1 in an edited forget set" in texts(app)
    assert "Press **Run**" in texts(app)
    buttons(app)["use-rate"].click().run()
    assert "Nothing is known to be corrupted yet" in texts(app)


def test_a_set_that_is_too_large_is_said_and_not_used(open_page: OpenPage, place: Path) -> None:
    made = sets(place).create("nearly all", ForgetSet(tuple(range(550))))
    app = open_page("forget", f"{QUERY}&set={made.id}")
    assert any("too many for a forget set" in warning.value for warning in app.warning)
    assert buttons(app)["use"].disabled
    assert buttons(app)["again"].disabled
    used = open_page("forget", f"{QUERY}&forget={made.key}")
    assert any("too many for a forget set" in error.value for error in used.error)
    buttons(used)["use-rate"].click().run()
    assert not used.error
    assert "suspect-curve" in figures(used)
