"""Forget set where nothing is known: cards are answered, kept in the link, taken back, and healed with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import finish_jobs, keyed, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.evaluation.person import SimulatedPerson
from unlearn_core.forget_sets import NamedSets
from unlearn_core.results.reader import scenario_data
from unlearn_core.store import Store
from unlearn_core.views.looks.data import evidence_key, read_evidence, replay

OpenPage = Callable[..., AppTest]
QUERY = (
    "dataset=blobs&training.epochs=12&amount=60&regularity=0.5&discovery=0&methods=rem,rem_discover&rem_discover.folds=2"
    "&rem_discover.epochs=2"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("looks")


@pytest.fixture(autouse=True)
def _store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(folder))


def begin(open_page: OpenPage, more: str = "") -> AppTest:
    """The page with a card, which is computed where it is not there yet."""
    app = open_page("forget", QUERY + more)
    if any(button.key == "look-start" for button in app.button):
        app.button(key="look-start").click().run()
        finish_jobs()
        app.run()
    assert "Are these given labels wrong?" in texts(app)
    return app


def press(app: AppTest, word: str) -> None:
    """Press the button of an answer; its key names its card."""
    (button,) = [one for one in app.button if str(one.key).startswith(f"look-{word}-")]
    button.click().run()
    finish_jobs()  # discovery, where it takes over
    app.run()
    assert not app.exception


def test_answers_are_kept_in_the_link_and_can_be_taken_back(open_page: OpenPage) -> None:
    app = begin(open_page)
    assert "<b>0</b> called wrong" in texts(app)
    press(app, "wrong")
    press(app, "wrong")
    assert link(app)["looks"].startswith("ww.")
    assert "<b>32</b> called wrong" in texts(app)
    report = keyed(app, "look-report").proto
    assert report.label == "Report"
    again = begin(open_page, f"&looks={link(app)['looks']}")  # a reload, or another browser
    assert "<b>32</b> called wrong" in texts(again)
    again.button(key="look-undo").click().run()
    assert link(again)["looks"].startswith("w.")
    assert "<b>16</b> called wrong" in texts(again)
    again.button(key="look-undo").click().run()
    assert "looks" not in link(again)
    assert again.button(key="look-undo").disabled


def test_discovery_takes_over_and_what_was_found_is_healed_on_compare(open_page: OpenPage, folder: Path) -> None:
    app = begin(open_page)
    scenario, store = vs.to_scenario(vs.decode(QUERY)[0]), Store.open(folder)
    data = scenario_data(scenario).corrupted
    person, evidence = SimulatedPerson(data.truth, data.train.labels), read_evidence(store, scenario)
    for _ in range(6):
        standing = replay(evidence, evidence_key(scenario), link(app).get("looks", ""), lambda known: None)
        if standing.card is None:  # discovery was asked
            break
        press(app, person.look(standing.card.shown))
    assert len(store.find("looks_judging")) == 1
    assert "Are these given labels wrong?" in texts(app)
    app.button(key="look-heal").click().run()
    assert not app.exception
    assert "in an edited forget set" in texts(app)
    sets = NamedSets(store, scenario.corruption_key)
    made = next(one for one in sets.all() if one.key == link(app)["forget"])
    wrong = data.truth.clean_labels != data.train.labels
    assert len(made) >= 16
    assert wrong[list(sets.now(made).indices)].float().mean() > 0.9
    assert set(link(app)["methods"].split(",")) == {"rem", "rem_discover"}


def test_answers_to_other_cards_do_not_count(open_page: OpenPage) -> None:
    app = begin(open_page, "&looks=ww.00000000")
    assert any("belong to other cards" in warning.value for warning in app.warning)
    assert "<b>0</b> called wrong" in texts(app)
    assert "looks" not in link(app)
