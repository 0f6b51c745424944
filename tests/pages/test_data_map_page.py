"""The data map on the page Forget set: from a stored search, or watched on demand; what is selected is decided about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from apptools import finish_jobs, link, texts
from forgettools import QUERY, buttons, figures, scenario_of, sets, spec_of
from streamlit.testing.v1 import AppTest

from unlearn_core.store import Store
from unlearn_core.views.suspects.data import open_suspects

OpenPage = Callable[..., AppTest]


def test_the_map_of_a_search_shows_the_persons_set_and_the_truth_by_its_switch(open_page: OpenPage, place: Path) -> None:
    found = open_suspects(Store.open(place), scenario_of(QUERY), spec_of(QUERY))
    names = {}
    for truth in ("shown", "hidden"):
        app = open_page("forget", f"{QUERY}&truth={truth}&cut=5", parts="Data map")
        names[truth] = [trace["name"].partition(" (")[0] for trace in figures(app)["data-map"]["data"]]
    assert names["hidden"] == ["other", "suspected, above the threshold", "in your set"]
    assert names["shown"] == ["clean", "undiscovered", "discovered", "suspected, above the threshold"]
    chosen = found.table["index"].tail(2).tolist()
    examples = {"of": scenario_of(QUERY).corruption_key, "chosen": tuple(sorted(chosen)), "pins": (), "inspected": None}
    app = open_page("forget", f"{QUERY}&truth=hidden&cut=5", parts="Data map", examples=examples)
    listed = next(frame.value for frame in app.dataframe if "variability" in frame.value.columns)
    assert sorted(listed["index"]) == sorted(chosen)
    assert "truth" not in listed.columns
    assert listed["confidence"].is_monotonic_increasing
    buttons(app)["map-trust"].click().run()
    assert not app.exception
    assert sets(place).now(sets(place).get(link(app)["set"])).checked == tuple(sorted(chosen))


def test_where_nothing_is_known_a_run_is_watched_on_demand(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("forget", "dataset=blobs&training.epochs=6&amount=60&discovery=0", parts="Data map")
    assert "data-map" not in figures(app)
    assert "takes half a training" in texts(app)
    buttons(app)["compute:data-map"].click().run()
    finish_jobs()
    app.run()
    assert not app.exception
    assert [trace["name"] for trace in figures(app)["data-map"]["data"]] == [f"other ({len(scenario_train(app)):,})"]
    assert open_page("forget", "dataset=blobs&discovery=0&hide=data_map", parts="Your set").tabs[-1].label == "Your set"


def scenario_train(app: AppTest) -> range:
    from unlearn_core import view_state as vs
    from unlearn_core.results.reader import scenario_data

    return range(len(scenario_data(vs.to_scenario(dict(app.session_state["state"]))).train))  # type: ignore[arg-type]
