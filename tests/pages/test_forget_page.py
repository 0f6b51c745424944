"""Forget set: the threshold moves pictures and numbers, decisions make a set of one's own, runs with it are compared."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import finish_jobs, link, texts
from forgettools import IMAGES, QUERY, buttons, compute, figures, scenario_of, sets, spec_of
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.engine import Engine
from unlearn_core.forget_sets import ForgetSet
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.craft.data import triggers
from unlearn_core.views.suspects.data import open_suspects

OpenPage = Callable[..., AppTest]


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
