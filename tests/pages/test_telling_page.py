"""Right labels are typed and examples checked on the page Forget set, and the methods on Compare are told of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from apptools import link, texts
from forgettools import QUERY, buttons, scenario_of, sets, spec_of
from streamlit.testing.v1 import AppTest

from pages.cache import catalog
from unlearn_core.results.reader import scenario_data
from unlearn_core.store import Store
from unlearn_core.views.suspects.data import open_suspects

OpenPage = Callable[..., AppTest]


def asked(app: AppTest) -> tuple[int, list[str]]:
    """The example that is shown, and the keys of its classes."""
    keys = [str(button.key).split("-") for button in app.button if str(button.key).startswith("tell-")]
    index = {int(key[2]) for key in keys}
    assert len(index) == 1
    return index.pop(), [key[1] for key in keys if len(key[1]) == 1]


def choose(app: AppTest, mode: str) -> None:
    app.session_state["tell"] = mode
    app.run()
    assert not app.exception


def test_one_key_a_label_and_both_reach_the_methods(open_page: OpenPage, place: Path) -> None:
    base = scenario_of(QUERY)
    found = open_suspects(Store.open(place), base, spec_of(QUERY))
    names = list(scenario_data(base).corrupted.train.class_names)
    app = open_page("forget", QUERY, parts="Your set")
    assert not any(str(button.key).startswith("tell-") for button in app.button)  # no key means anything yet
    choose(app, "Label your set")
    index, keys = asked(app)
    assert index in found.forget
    assert len(keys) == len(names)
    given, says = found.everyone.loc[index, "given"], found.everyone.loc[index, "says"]
    if says != given:
        assert buttons(app)[f"tell-says-{index}"].label == says
    wrong = next(k for k, name in enumerate(names) if name != given)
    buttons(app)[f"tell-{keys[wrong]}-{index}"].click().run()
    assert not app.exception
    content = sets(place).now(sets(place).get(link(app)["set"]))
    assert content.labels == {index: names[wrong]}
    assert content.indices == found.forget
    assert asked(app)[0] != index
    buttons(app)["set-undo"].click().run()
    assert asked(app)[0] == index
    buttons(app)["set-redo"].click().run()
    passed, _ = asked(app)
    buttons(app)[f"tell-pass-{passed}"].click().run()
    assert asked(app)[0] not in (index, passed)

    choose(app, "Check others")
    other, keys = asked(app)
    assert other not in found.forget
    assert f"tell-says-{other}" not in buttons(app)  # nothing is suggested of what nobody doubts
    right = names.index(found.everyone.loc[other, "given"])
    buttons(app)[f"tell-{keys[right]}-{other}"].click().run()
    assert "1 checked and trusted" in texts(app)
    buttons(app)["use"].click().run()
    state = dict(app.session_state["state"])
    assert (state["relabelled"], state["trusted"]) == ({index: names[wrong]}, (other,))
    _told(open_page, link(app)["forget"], index, names[wrong], other)


def _told(open_page: OpenPage, key: str, index: int, label: str, other: int) -> None:
    """What the link of this set gives to the methods."""
    compare = open_page("compare", f"{QUERY}&forget={key}".replace("methods=rem,rem_discover", "methods=relabel_only,sap"))
    state: Any = dict(compare.session_state["state"])
    assert catalog.blocked_by(state, ["relabel_only", "sap"]) == []
    from unlearn_core import view_state as vs

    told = vs.to_scenario(state)
    assert told.relabelled == ((index, label),)
    assert told.person.trusted == (other,)
    specs = {spec.name: spec.given.keys() for spec in vs.to_methods(state)}
    assert specs == {"relabel_only": {"labels"}, "sap": {"trusted"}}
    made: dict[str, Any] = {}
    exec(vs.as_python(state).replace("results = ", "results = None and "), made)
    assert [made["scenario"].run_key(spec) for spec in vs.to_methods(state)] == [told.run_key(s) for s in vs.to_methods(state)]
    craft = open_page("craft", f"{QUERY}&forget={key}")
    assert "stand in the list, count: 1." in texts(craft)
    assert "are trusted: 1." in texts(craft)


def test_suspects_are_trusted_and_taken_back(open_page: OpenPage, place: Path) -> None:
    made = sets(place).create("to trust", scenario_forget(place).checking([5]))
    app = open_page("forget", f"{QUERY}&set={made.id}", parts="Your set")
    assert "1 checked and trusted" in texts(app)
    choose(app, "Label your set")
    assert not buttons(app)["use"].disabled
    assert buttons(app)["uncheck"].disabled
    assert "other right labels" in texts(app)


def scenario_forget(place: Path) -> Any:
    from unlearn_core.forget_sets import ForgetSet

    return ForgetSet(open_suspects(Store.open(place), scenario_of(QUERY), spec_of(QUERY)).forget)
