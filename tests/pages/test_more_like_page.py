"""More like this below the images of every page that shows some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import finish_jobs, keyed, texts
from streamlit.testing.v1 import AppTest

OpenPage = Callable[..., AppTest]
QUERY = "dataset=digits&training.epochs=2&regularity=1&discovery=0.3&methods=finetune,retrain&finetune.epochs=1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("likeness")


@pytest.fixture(autouse=True)
def _store(folder: Path, _environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(folder))


def settle(app: AppTest) -> AppTest:
    """Once everything that the page asks for is there."""
    for _ in range(3):
        finish_jobs()
        app.run()
        assert not app.exception
    return app


def place_of(app: AppTest) -> set[str]:
    """Where the page offers it."""
    return {one.label for one in app.expander} & {"More like this"}


def test_it_is_folded_until_it_is_asked_for_and_then_trains_what_it_needs(open_page: OpenPage) -> None:
    app = open_page("craft", QUERY)
    assert place_of(app)
    assert "most like it" not in texts(app)
    app = open_page("craft", QUERY, **{"more-like:craft": True})
    app.button(key="more-like-train").click().run()
    settle(app)
    words = texts(app)
    assert "and the 15 that are most like it" in words
    assert "penultimate features of the original" in words
    keyed(app, "more-like-index:craft").set_value(3).run()
    settle(app)
    assert "Example **3**, given" in texts(app)
    app.button(key="more-like-select:craft").click().run()
    assert len(app.session_state["examples"]["chosen"]) == 16
    before = next(button.label for button in app.button if button.key == "more-like-add:craft")
    app.button(key="more-like-add:craft").click().run()
    assert not app.exception
    assert before != next(button.label for button in app.button if button.key == "more-like-add:craft")


@pytest.mark.parametrize(("page", "place"), [("boundary", "anchors"), ("embedding", "embedding")])
def test_other_pages_have_it_as_well(open_page: OpenPage, page: str, place: str) -> None:
    app = open_page(page, f"{QUERY}&views=original&details=inspector", **{f"more-like:{place}": True})
    for button in app.button:
        if button.key == "run":
            button.click().run()
            break
    settle(app)
    assert place_of(app)
    assert "and the 15 that are most like it" in texts(app)


def test_points_and_links_that_hide_it_do_without(open_page: OpenPage) -> None:
    assert not place_of(open_page("craft", "dataset=blobs"))
    assert not place_of(open_page("craft", f"{QUERY}&hide=more_like"))
