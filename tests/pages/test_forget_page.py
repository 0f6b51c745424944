"""Forget set: the threshold moves pictures and numbers, decisions make a set of one's own, runs with it are compared."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apptools import finish_jobs, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.engine import Engine
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.craft.data import triggers
from unlearn_core.views.suspects.data import open_suspects

OpenPage = Callable[..., AppTest]
QUERY = (
    "dataset=blobs&training.epochs=12&amount=60&discovery=0.5&methods=rem,rem_discover&rem.epochs=2"
    "&rem_discover.folds=3&rem_discover.epochs=3"
)
IMAGES = QUERY.replace("dataset=blobs", "dataset=digits").replace("amount=60", "amount=120").replace("epochs=12", "epochs=6")
IMAGES = IMAGES.replace("folds=3", "folds=2").replace("rem_discover.epochs=3", "rem_discover.epochs=1")


def scenario_of(query: str) -> Any:
    return vs.to_scenario(vs.decode(query)[0])


def spec_of(query: str) -> Any:
    state = vs.decode(query)[0]
    quick = {"rem_discover.rounds": 1}
    return vs.to_methods(state | {"overrides": state["overrides"] | quick}, ["rem_discover"])[0]


def compute(place: Path, query: str) -> None:
    engine = Engine(Store.open(place), address="inline")
    view = engine.wait(engine.submit(plan_runs(scenario_of(query), [spec_of(query)]), "test"), 120)
    engine.close()
    assert view.state == "done", view


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("searched")
    compute(place, QUERY)
    return place


@pytest.fixture
def place(searched: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNLEARN_STORE", str(searched))
    return searched


def sets(place: Path, query: str = QUERY) -> NamedSets:
    return NamedSets(Store.open(place), scenario_of(query).corruption_key)


def figures(app: AppTest) -> dict[str, dict[str, Any]]:
    found = {str(getattr(element, "key", "")): element for element in app.main}
    return {key.removeprefix("figure:"): json.loads(found[key].proto.spec) for key in found if key.startswith("figure:")}


def buttons(app: AppTest) -> dict[str, Any]:
    return {button.key: button for button in app.button}


def test_nothing_searched_yet_offers_to_run(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("forget", QUERY)
    assert "Press **Run**" in texts(app)
    assert "not known before the first run" in texts(app)
    assert not figures(app)
    app.button(key="run").click().run()
    finish_jobs()
    app.run()
    assert not app.exception
    assert {"suspect-curve", "suspect-points", "suspect-evidence"} <= set(figures(app))
    assert app.button(key="run").disabled
    app.segmented_control(key="control:search").set_value("thorough").run()
    assert "It takes about" in texts(app)


def test_the_threshold_moves_numbers_and_points(open_page: OpenPage, place: Path) -> None:
    app = open_page("forget", QUERY)
    found = open_suspects(Store.open(place), scenario_of(QUERY), spec_of(QUERY))
    slider = app.slider(key="control:cut")
    assert slider.value == found.start()
    slider.set_value(7).run()
    assert link(app)["cut"] == "7"
    names = [trace["name"] for trace in figures(app)["suspect-points"]["data"]]
    assert "above the threshold (7)" in names
    row = found.at(7)
    assert f"{100 * row['precision']:.0f} %" in texts(app)
    assert f"true {100 * row['true_precision']:.0f} %" in texts(app)
    assert buttons(app)["accept-above"].label == "Accept 7 above"


def test_the_truth_can_be_hidden(open_page: OpenPage, place: Path) -> None:
    app = open_page("forget", f"{QUERY}&truth=hidden")
    words = texts(app)
    assert "true " not in words.split("Threshold")[-1].lower().replace("the truth", "")
    assert "In truth" not in words
    assert all("true" not in trace.get("name", "") for trace in figures(app)["suspect-curve"]["data"])


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


def test_images_stand_on_both_sides_of_the_threshold(open_page: OpenPage, place: Path) -> None:
    compute(place, IMAGES)  # two folds of one epoch each are enough for an order
    app = open_page("forget", f"{IMAGES}&cut=10")
    walls = [element.proto.body for element in app.main if element.type == "html" and '"eunoe-wall"' in element.proto.body]
    cards = [wall.count("<img") for wall in walls]
    assert cards == [10, 16]
    found = open_suspects(Store.open(place), scenario_of(IMAGES), spec_of(IMAGES))
    first = int(found.table["index"].iloc[0])
    assert f"training example {first}," in "".join(walls)
    assert "suspect-points" not in figures(app)
    # What is framed is the truth: on corrupted images alone, and nowhere where it is hidden.
    framed = sum(wall.count("the trigger framed") for wall in walls)
    triggered = set(triggers(scenario_of(IMAGES)))
    assert framed == len(triggered & set(found.table["index"].head(26))) > 0
    hidden = open_page("forget", f"{IMAGES}&cut=10&truth=hidden")
    assert '"eunoe-wall"' in texts(hidden)
    assert "the trigger framed" not in texts(hidden)


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


@pytest.mark.parametrize("seed", range(3))
def test_odd_links_open(open_page: OpenPage, place: Path, seed: int) -> None:
    rng = random.Random(seed)
    words = ["nan", "-1", "0", "5", "1e9", "quick", "hidden", "", "☃", "99999"]
    query = {name: rng.choice(words) for name in ("set", "forget", "search", "cut", "truth", "suspect")}
    app = open_page("forget", QUERY + "".join(f"&{name}={value}" for name, value in query.items()))
    assert not app.exception


def test_panels_can_be_hidden(open_page: OpenPage, place: Path) -> None:
    hide = "suspect_curve,suspect_wall,suspect_evidence,cut,search,truth,forget_set,forget_change"
    app = open_page("forget", f"{QUERY}&hide={hide}")
    assert not figures(app)
    assert not app.slider
    assert buttons(app)["accept-above"].label.startswith("Accept")


def test_the_embedding_is_coloured_by_what_the_search_found(open_page: OpenPage, place: Path) -> None:
    app = open_page("embedding", f"{QUERY}&embedded=rem_discover&projection=pca&colour_by=suspicion")
    assert not app.exception
    axis = figures(app)["embedding"]["layout"]["coloraxis"]
    assert axis["colorbar"]["title"]["text"] in ("probability", "rank")
    assert (axis["cmin"], axis["cmax"]) == (0, 1)


def test_points_selected_in_the_embedding_join_and_leave_the_set(open_page: OpenPage, place: Path) -> None:
    app = open_page("embedding", f"{QUERY}&embedded=rem_discover&projection=pca")
    assert "selection-add" not in buttons(app)
    base = set(open_suspects(Store.open(place), scenario_of(QUERY), spec_of(QUERY)).forget)
    known, new = min(base), sorted(set(range(20)) - base)[:2]
    app.session_state["examples"] = {**app.session_state["examples"], "chosen": (known, *new)}
    app.run()
    assert buttons(app)["selection-add"].label.startswith("Add 2 to")
    buttons(app)["selection-add"].click().run()
    buttons(app)["selection-remove"].click().run()
    made = sets(place).get(link(app)["set"])
    # After joining, all three of the selection were in the set, and left it together.
    assert set(sets(place).now(made).indices) == base - {known}
    assert len(made.history) == 3
    assert not app.exception


def test_copied_commands_search_as_the_view_does(open_page: OpenPage, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = open_page("forget", QUERY)
    code = {block.proto.language: block.value for block in app.code}
    names: dict[str, object] = {}
    exec(code["python"], names)
    assert str(names["results"]) in capsys.readouterr().out
    [row] = names["results"].rows  # type: ignore[attr-defined]
    assert (row["method"], row["cached"]) == ("rem_discover", True)
    assert any(" discover " in block.value for block in app.code)


def test_a_lesson_s_next_step_keeps_the_set(open_page: OpenPage, place: Path) -> None:
    app = open_page("forget", f"{QUERY}&cut=3&set=new")
    buttons(app)["accept-above"].click().run()
    made = link(app)["set"]
    name = sets(place).get(made).name
    app.session_state["state"] = vs.decode(f"{QUERY}&cut=4&truth=hidden")[0]  # as a step sets the controls
    app.run()
    assert f"**{name}** · 33 examples" in texts(app)
    app.session_state["parts"] = "Your set"
    app.run()
    app.selectbox(key="control:draft").set_value("new").run()
    assert "**Your set** · 30 examples" in texts(app)
    assert link(app)["set"] == "new"


def test_too_little_known_is_a_ranking_without_expectations(open_page: OpenPage, place: Path) -> None:
    made = sets(place).create("only three", ForgetSet((1, 2, 3)))
    engine = Engine(Store.open(place), address="inline")
    few = scenario_of(QUERY).knowing((1, 2, 3))
    assert engine.wait(engine.submit(plan_runs(few, [spec_of(QUERY)]), "test"), 120).state == "done"
    engine.close()
    for truth in ("shown", "hidden"):
        app = open_page("forget", f"{QUERY}&forget={made.key}&truth={truth}")
        assert texts(app).count("Fewer than 5 known examples") == 1
        assert "not known" in texts(app)
        assert app.slider(key="control:cut").value == 20


@pytest.mark.parametrize("page", ["start", "craft", "compare", "boundary", "redirect", "embedding", "heatmap", "lessons"])
def test_every_page_opens_with_an_edited_set(open_page: OpenPage, place: Path, page: str) -> None:
    made = sets(place).create(f"for {page}", ForgetSet(tuple(range(40))))
    app = open_page(page, f"{QUERY}&forget={made.key}")
    assert link(app)["forget"] == made.key
    assert not any("not in this store" in warning.value for warning in app.warning)
