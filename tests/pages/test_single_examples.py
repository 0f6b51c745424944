"""Compare's single examples: the cell that was clicked and its images, the threshold and the most exposed."""

from __future__ import annotations

from collections.abc import Callable

from apptools import QUICK, texts
from streamlit.testing.v1 import AppTest

from pages.widgets import mistakes
from unlearn_core import view_state as vs

OpenPage = Callable[..., AppTest]
WALL = "eunoe-wall"


def html_of(app: AppTest) -> str:
    return " ".join(part.proto.body for part in app.get("html"))


def test_a_cell_shows_its_examples_and_selects_them(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", f"{QUICK}&methods=finetune,retrain&tab=classes&matrix=corrupted&judged=finetune")
    assert "Click a cell for its images" in html_of(app)
    classes = 3
    app.session_state[mistakes._CELL] = 0
    app.run()
    shown = html_of(app)
    assert "right class low, taken for low by the original" in shown
    app.session_state[mistakes._CELL] = classes**2 + 1
    app.run()
    assert "right class low, taken for middle by Fine-tune" in html_of(app)
    assert not app.exception


def test_a_lower_threshold_recognises_more(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", f"{QUICK}&methods=finetune,retrain&tab=exposure&judged=finetune")
    assert "still surest of" in html_of(app)
    slider = next(one for one in app.slider if one.key == "exposure-threshold:finetune")
    slider.set_value(slider.min).run()
    assert "100 % of the forget set’s labels are recognised in Fine-tune" in html_of(app)
    assert WALL in html_of(app) or "(" in html_of(app)
    assert not app.exception


def test_the_parts_can_be_left_out(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", f"{QUICK}&methods=finetune,retrain&tab=classes&hide=confusion,exposure")
    assert "Who stays exposed" not in [tab.label for tab in app.tabs]
    assert "Click a cell" not in texts(app) + html_of(app)
