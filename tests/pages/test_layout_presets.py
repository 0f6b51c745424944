"""Layouts: each leaves out what it says and nothing else, is in the link, is one click back, and counts in no lesson."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from apptools import QUICK, figures, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs

OpenPage = Callable[..., AppTest]
CHOSEN = [name for name in vs.LAYOUTS if name != "all"]


def keys(app: AppTest) -> set[str]:
    return {str(key) for element in app.main if (key := getattr(element, "key", None))}


@pytest.mark.parametrize("name", vs.LAYOUTS)
def test_a_layout_leaves_out_what_there_is_and_opens_tabs_that_it_leaves(name: str) -> None:
    layout = vs.LAYOUTS[name]
    assert set(layout.hide) <= set(vs.hideable())
    assert len(set(layout.hide)) == len(layout.hide)
    assert set(layout.changes()) <= {"tab", "details"}
    settled, notices = vs.decode(vs.encode(vs.default_state() | {"layout": name} | layout.changes()))
    assert notices == []
    assert settled["layout"] == name
    assert vs.with_changes(settled, {}) == vs.default_state() | {"layout": name} | layout.changes()
    opened = {"map": {"scatter", "trajectories"}, "cost": {"cost", "difference"}, "classes": {"classes"}}
    for panels in (opened[tab] for name, tab in layout.opens if name == "tab"):
        assert not panels <= set(layout.hide)  # a tab without any of its panels is not there to be opened
    assert layout.changes().get("details") not in layout.hide


@pytest.mark.parametrize("name", CHOSEN)
@pytest.mark.parametrize("page", ["craft", "compare", "redirect", "embedding", "boundary", "heatmap", "forget", "own", "start"])
def test_every_page_is_drawn_in_every_layout(open_page: OpenPage, computed: vs.State, page: str, name: str) -> None:
    app = open_page(page, f"{QUICK}&layout={name}")
    assert not app.exception
    hidden = {f"control:{control}" for control in vs.LAYOUTS[name].hide} | {
        f"figure:{panel}" for panel in vs.LAYOUTS[name].hide
    }
    assert not keys(app) & hidden
    assert vs.LAYOUTS[name].words in texts(app)


def test_choosing_a_layout_and_the_click_back(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", f"{QUICK}&tab=export")
    assert "scatter" not in figures(app)  # another tab is open
    control = next(widget for widget in app.get("button_group") if widget.key == "control:layout")
    control.set_value("compare").run()
    assert link(app)["layout"] == "compare"
    assert {"cost"} <= figures(app)
    before = keys(app)
    app.button(key="layout-all").click().run()
    assert "layout" not in link(app)
    assert link(app)["tab"] == "export"
    assert "layout-all" in before - keys(app)


def test_a_lesson_shows_what_it_speaks_of(open_page: OpenPage, computed: vs.State) -> None:
    state = vs.default_state() | {"layout": "debug", "lesson": "plane"}
    from pages.session import binding

    assert binding.hidden(vs.default_state() | {"layout": "debug"}, "plane")
    assert not binding.hidden(state, "plane")
    app = open_page("craft", "lesson=plane&layout=debug")
    assert "plane" in figures(app)
    assert "layout-all" not in keys(app)
