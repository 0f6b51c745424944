"""What the heatmap opens with: the chosen methods, unless a link or a lesson says otherwise."""

from __future__ import annotations

from collections.abc import Callable

from apptools import link
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs

OpenPage = Callable[..., AppTest]


def test_without_a_link_it_opens_with_the_chosen_methods(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("heatmap")
    assert app.button_group(key="control:rows").value == "chosen"
    assert link(app) == {"rows": "chosen"}
    app.button_group(key="control:rows").set_value("stored").run()
    app.switch_page("pages/craft.py").run()
    app.switch_page("pages/heatmap.py").run()
    assert app.button_group(key="control:rows").value == "stored"  # it was chosen here, and stays
    assert open_page("heatmap", "order=score").button_group(key="control:rows").value == "stored"
