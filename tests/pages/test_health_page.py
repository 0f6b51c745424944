"""Your own: data health in groups, each with its threshold, its pictures and its way to a forget set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import finish_jobs, keyed, link, texts
from healthtools import make_clean, plant
from streamlit.testing.v1 import AppTest

from unlearn_core.store import Store

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("health")
    plant(make_clean(root / "photos", train=100, test=4))
    return root


@pytest.fixture(autouse=True)
def _places(place: Path, _environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, folder in (("STORE", "store"), ("CACHE", "cache")):
        monkeypatch.setenv(f"UNLEARN_{name}", str(place / folder))
    monkeypatch.setenv("UNLEARN_DATA_ROOTS", str(place))


def opened(open_page: OpenPage, place: Path, more: str = "") -> AppTest:
    """The page once everything that it asks for is computed."""
    app = open_page("own", f"own={place / 'photos'}&training.epochs=1{more}")
    for _ in range(6):
        if "What was looked for, and what was not" in {one.label for one in app.expander}:
            return app
        finish_jobs()
        app.run()
    raise AssertionError(texts(app))


def test_a_group_is_shown_with_its_threshold_and_goes_to_a_forget_set(open_page: OpenPage, place: Path) -> None:
    app = opened(open_page, place)
    assert not app.exception
    choose = keyed(app, "control:finding")
    assert any(words.startswith("The set as a whole · In training and test") for words in choose.options)
    named = next(words for words in choose.options if "Blurry" in words)
    choose.select(named).run()
    assert link(app)["finding"] == "blurry"
    shown = texts(app)
    assert "Threshold: blur effect" in shown
    assert "Iglewicz and Hoaglin 1993" in shown
    assert shown.count("blur effect, 0 sharp to 1 blurred: 0.") == 6  # title and words of three pictures
    app.button(key="selection-add").click().run()
    assert not app.exception
    assert "My set 1: 4 examples" in texts(app)  # the three blurred ones, and one that shows nothing
    assert len(Store.open(place / "store").find("health")) == 1


def test_a_link_opens_the_group_and_nothing_is_computed_again(open_page: OpenPage, place: Path) -> None:
    opened(open_page, place)
    app = opened(open_page, place, "&finding=dark")
    assert "99th percentile of its grey levels" in texts(app)
    app.button(key="health-select:dark").click().run()
    assert len(app.session_state["examples"]["chosen"]) == 3
    app.button(key="health-inspect:dark").click().run()
    assert not app.exception
    assert any(heading.value == "Embedding" for heading in app.subheader)
    assert link(app)["details"] == "inspector"
    assert app.session_state["examples"]["inspected"] in app.session_state["examples"]["chosen"]
    assert len(Store.open(place / "store").find("health")) == 1


def test_a_link_can_leave_it_out(open_page: OpenPage, place: Path) -> None:
    opened(open_page, place)
    app = open_page("own", f"own={place / 'photos'}&training.epochs=1&hide=own_health")
    assert "5 · Data health" not in texts(app)
