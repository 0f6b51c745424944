"""Compare's single examples: the cell that was clicked and its images, the threshold and the most exposed."""

from __future__ import annotations

import re
from collections.abc import Callable

from apptools import QUICK, texts
from streamlit.testing.v1 import AppTest

from pages.session.services import store
from pages.widgets import mistakes
from unlearn_core import view_state as vs
from unlearn_core.views.compare.confusion import confusion

OpenPage = Callable[..., AppTest]


def html_of(app: AppTest) -> str:
    return " ".join(part.proto.body for part in app.get("html"))


def test_a_cell_shows_its_examples_and_selects_them(open_page: OpenPage, computed: vs.State) -> None:
    state, _ = vs.decode(f"{QUICK}&methods=finetune,retrain")
    scenario = vs.to_scenario(state)
    found = confusion(store(), scenario, vs.to_methods(state, ["finetune"])[0], "corrupted")
    assert found is not None
    right, said = int(found.right[0]), int(found.after[0])
    classes, inside = len(found.names), found.cell(right, said)
    app = open_page("compare", f"{QUICK}&methods=finetune,retrain&tab=classes&matrix=corrupted&judged=finetune")
    assert "Click a cell for its images" in html_of(app)
    app.session_state[mistakes.CELL] = (found.names, classes**2 + right * classes + said)
    app.run()
    words = f"<b>{len(inside)}</b>: right class {found.names[right]}, taken for {found.names[said]} by Fine-tune"
    assert words in html_of(app)
    app.button(key="confusion-select").click().run()
    assert set(app.session_state["examples"]["chosen"]) == {int(k) for k in inside}
    app.switch_page("pages/embedding.py").run()
    assert set(app.session_state["examples"]["chosen"]) == {int(k) for k in inside}
    app.switch_page("pages/compare.py").run()
    app.session_state[mistakes.CELL] = (("other", "classes", "too"), 0)
    app.run()
    assert "taken for" not in html_of(app)
    assert not app.exception


def test_a_lower_threshold_recognises_more(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", f"{QUICK}&methods=finetune,retrain&tab=exposure&judged=finetune")
    assert "still surest of" in html_of(app)
    slider = next(one for one in app.slider if one.key == "exposure-threshold:finetune")
    slider.set_value(slider.min).run()
    assert "100 % of the forget set’s labels are recognised in Fine-tune" in html_of(app)
    assert re.search(r"\(-?\d\.\d\d, -?\d\.\d\d\) (low|middle|high)", html_of(app))  # points have no pictures
    assert not app.exception


def test_the_parts_can_be_left_out(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", f"{QUICK}&methods=finetune,retrain&tab=classes&hide=confusion,exposure")
    assert "Who stays exposed" not in [tab.label for tab in app.tabs]
    assert "Click a cell" not in texts(app) + html_of(app)
