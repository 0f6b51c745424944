"""The tab What comes back on Compare: computed on a button, never before; curves and a table then."""

from __future__ import annotations

from collections.abc import Callable

from apptools import QUICK, finish_jobs, texts
from streamlit.testing.v1 import AppTest

from pages.session.services import store
from unlearn_core import view_state as vs

OpenPage = Callable[..., AppTest]


def stored() -> int:
    return len(store().find("returns"))


def test_nothing_is_trained_until_the_button_is_pressed(open_page: OpenPage, computed: vs.State) -> None:
    query = f"{QUICK}&methods=finetune,retrain&tab=returns"
    app = open_page("compare", query)
    assert stored() == 0
    assert "as its user would" in texts(app)
    assert not [b for b in app.button if b.key == "compute:relearn"]
    app.button("compute:returns").click().run()
    finish_jobs()
    app.run()
    assert stored() == 6  # Fine-tune and both references, with the undiscovered and without
    assert not [b for b in app.button if b.key == "compute:returns"]
    table = next(frame.value for frame in app.dataframe if "after 3 more epochs of ordinary training" in frame.value)
    assert list(table["Model"]) == ["Fine-tune", "Retrain", "Oracle (knows the truth)"]
    assert "Dashed: oracles" in texts(app)
    app.button("compute:relearn").click().run()
    finish_jobs()
    app.run()
    assert len(store().find("barrier")) == 3
    assert "original’s valley" in texts(app)
    assert not store().find("margins")
    app.button("compute:margins").click().run()
    finish_jobs()
    app.run()
    table = next(frame.value for frame in app.dataframe if "Margin gap, F" in frame.value)
    assert list(table["Model"]) == ["Original", "Fine-tune", "Retrain"]
    assert set(table["Seeds"]) == {"3"}
    gaps = table.set_index("Model")["Margin gap, F"].str.partition(" ")[0].astype(float)
    assert (gaps > 0).all()


def test_a_link_can_hide_it(open_page: OpenPage, computed: vs.State) -> None:
    assert "as its user would" not in texts(open_page("compare", f"{QUICK}&tab=returns&hide=returns"))
