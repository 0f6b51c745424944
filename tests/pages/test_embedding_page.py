"""The embedding page: PCA at once and UMAP from the engine, highlights, a selection that all parts share, the inspector."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import QUICK, finish_jobs, link, texts
from streamlit.testing.v1 import AppTest

from pages.session import selection
from unlearn_core import view_state as vs
from unlearn_core.views.embedding import data

OpenPage = Callable[..., AppTest]
VIEW = f"{QUICK}&embedded=finetune,rem"
PARTS = ("embedding", "thumbnails", "example_table", "example_histograms", "inspector", "highlight", "judged")


def select(app: AppTest, *indices: int) -> AppTest:
    """Select examples as a lasso would have done."""
    app.session_state["examples"] = {**app.session_state["examples"], "chosen": tuple(indices)}
    return app.run()


@pytest.fixture
def page(open_page: OpenPage, computed: vs.State) -> AppTest:
    app = open_page("embedding", VIEW)
    finish_jobs()
    return app.run()


def charts(app: AppTest) -> list[str]:
    return [element.key for element in app.main if getattr(element, "type", "") == "plotly_chart"]


def test_without_models_the_page_says_so_and_offers_to_run_them(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("embedding", VIEW)
    assert "Not computed yet" in texts(app)
    app.button(key="run").click().run()
    finish_jobs()
    app.run()
    assert "All 1,000" in texts(app) or "**All" in texts(app)
    assert not app.exception


def test_pca_is_there_at_once_and_umap_follows(open_page: OpenPage, computed: vs.State) -> None:
    pca = open_page("embedding", f"{VIEW}&projection=pca")
    assert "UMAP is ready" not in texts(pca)
    app = open_page("embedding", VIEW)
    finish_jobs()
    app.run()
    assert "PCA is shown" not in texts(app)
    assert not app.exception


def test_a_subsample_of_umap_is_stated(
    open_page: OpenPage, shared_store: Path, computed: vs.State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(shutil.copytree(shared_store, tmp_path / "store")))
    monkeypatch.setattr(data.subsample, "__defaults__", (100,))
    app = open_page("embedding", f"{QUICK}&embedded=finetune")
    finish_jobs()
    assert "UMAP is drawn for 100 of 600 examples" in texts(app.run())
    assert "UMAP is drawn for" not in texts(open_page("embedding", f"{QUICK}&embedded=finetune&projection=pca"))


def test_highlights_count_what_they_keep(page: AppTest) -> None:
    from pages.session.services import store
    from unlearn_core.views.embedding import examples as embedded_examples

    state, _ = vs.decode(VIEW)
    scenario, specs = vs.to_scenario(state), vs.to_methods(state, ["finetune", "rem"])
    shown = embedded_examples.examples(store(), scenario, specs)
    for judged in ("rem", "finetune"):
        found = embedded_examples.modes(shown, judged)
        for mode, which in found.items():
            app = page.button_group(key="control:highlight").set_value(mode).run()
            app = app.button_group(key="control:judged").set_value(judged).run()
            assert f"{int(which.sum())} of {len(shown):,}** examples in focus" in texts(app), mode
            assert link(app)["highlight"] == mode


def test_a_selection_narrows_everything_below_and_ends(page: AppTest) -> None:
    app = select(page, 3, 5, 8)
    assert "**3 of" in texts(app)
    app.session_state["state"] = app.session_state["state"] | {"details": "example_table"}
    app.run()
    assert app.dataframe[0].value["index"].tolist() == [3, 5, 8]
    app.button(key="clear-selection").click().run()
    assert "**All" in texts(app)


def test_the_selection_survives_other_pages_but_not_other_data(page: AppTest) -> None:
    app = select(page, 1, 2)
    app.switch_page("pages/craft.py").run()
    app.switch_page("pages/embedding.py").run()
    assert "**2 of" in texts(app)
    selection_of = app.session_state["examples"]["of"]
    app.session_state["state"] = app.session_state["state"] | {"seed": 7}
    app.run()
    assert app.session_state["examples"]["of"] != selection_of
    assert app.session_state["examples"]["chosen"] == ()


def test_a_link_brings_the_selection_the_pins_and_what_is_looked_at(open_page: OpenPage, computed: vs.State) -> None:
    of = vs.to_scenario(vs.decode(VIEW)[0]).corruption_key
    text = vs.encode_marked(vs.Marked((3, 5, 8), pins=(9, 4), inspected=8), of)
    app = open_page("embedding", f"{VIEW}&details=inspector&marked={text}")
    assert "**3 of" in texts(app)
    assert app.number_input(key="inspected").value == 8
    assert app.button(key="pinned:9")
    assert app.button(key="pinned:4")
    assert link(app)["marked"] == text
    app.button(key="pinned:4").click().run()
    app.button(key="clear-selection").click().run()
    left = vs.decode_marked(link(app)["marked"], of)
    assert left == vs.Marked(pins=(9, 4), inspected=4)
    assert "**All" in texts(app)
    app.query_params["marked"] = text  # another link, or the lecturer's
    app.session_state["written_at"] = 0.0
    app.run()
    assert "**3 of" in texts(app)


def test_a_selection_of_other_data_or_a_broken_one_is_said_and_none(open_page: OpenPage, computed: vs.State) -> None:
    text = vs.encode_marked(vs.Marked((3, 5, 8)), "other data")
    for wrong, words in ((text, "those of other data"), (text[:-2] + "!", "cannot be read")):
        app = open_page("embedding", f"{VIEW}&marked={wrong}")
        assert any(words in info.value for info in app.info), wrong
        assert "**All" in texts(app)
        assert "marked" not in link(app.run())


def test_a_selection_that_no_link_holds_is_kept_and_said(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearn_core.view_state import marked

    monkeypatch.setattr(marked, "MAX_MARKED", 40)
    app = select(page, *range(0, 600, 2))
    assert "**300 of" in texts(app)
    assert "too large for a link" in texts(app)


@pytest.mark.parametrize("group", ["clean", "discovered", "undiscovered"])
def test_the_inspector_tells_all_about_an_example_of_each_group(page: AppTest, group: str) -> None:
    from pages.session.services import store
    from unlearn_core.views.embedding import examples as embedded_examples

    state, _ = vs.decode(VIEW)
    scenario, specs = vs.to_scenario(state), vs.to_methods(state, ["finetune", "rem"])
    shown = embedded_examples.examples(store(), scenario, specs)
    index = int((shown.group_names == group).argmax())
    page.session_state["state"] = page.session_state["state"] | {"details": "inspector"}
    app = page.run()
    app.number_input(key="inspected").set_value(index).run()
    words = texts(app)
    assert group in words
    assert f"given **{shown.names[shown.given[index]]}**" in words
    table = app.dataframe[0].value
    assert table.drop(columns="class").sum().tolist() == pytest.approx([1, 1, 1], abs=1e-4)
    assert "Nearest neighbours" in words
    app.button(key="pin").click().run()
    assert app.session_state["examples"]["pins"] == (index,)
    assert app.button(key=f"pinned:{index}")
    app.button(key="unpin").click().run()
    assert app.session_state["examples"]["pins"] == ()


def test_twelve_examples_are_pinned_and_few_are_on_one_page() -> None:
    def script() -> None:
        import streamlit as st

        from pages.session import selection
        from pages.widgets import samples
        from unlearn_core import view_state as vs

        st.session_state["state"] = vs.default_state()
        selection.begin("these data")
        for index in range(20):
            selection.pin(index)
        first, end = samples.pages(50_000)
        st.session_state["seen"] = (selection.pins(), end - first)

    app = AppTest.from_function(script).run()
    assert not app.exception
    pins, on_page = app.session_state["seen"]
    assert pins == tuple(range(8, 20))  # the oldest went
    assert 12 <= on_page <= 100
    assert app.number_input(key="thumbnail-page").max == -(-50_000 // on_page)


def test_bad_links_are_brought_within_what_is_possible(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("embedding", f"{QUICK}&embedded=rem,finetune,npo&colour_by=smell&highlight=gone&judged=npo&projection=x")
    assert "at most 2" in texts(app)
    assert not app.exception


def test_without_a_forget_set_methods_that_need_one_are_left_out(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("embedding", f"{VIEW}&discovery=0")
    assert "need a forget set" in texts(app)


@pytest.mark.parametrize(
    ("how", "expected"), [("replace", {2, 9}), ("add", {1, 2, 3, 9}), ("remove", {1, 3}), ("intersect", {2})]
)
def test_selections_combine(how: str, expected: set[int]) -> None:
    assert selection.combined((1, 2, 3), (2, 9), how) == expected


def test_hidden_parts_are_left_out(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("embedding", f"{VIEW}&hide={','.join(PARTS)}")
    assert not app.exception
    assert not app.tabs


def test_suspicion_without_a_search_says_where_to_search(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("embedding", f"{VIEW}&projection=pca&colour_by=suspicion")
    assert "Nobody has searched for suspects" in texts(app)
    assert "figure:embedding" in charts(app)
    assert not app.exception


def test_where_examples_went_is_one_click_and_in_the_link(page: AppTest) -> None:
    assert "figure:went" not in charts(page)
    app = page.toggle(key="control:went").set_value(True).run()
    assert link(app)["went"] == "on"
    assert "Of 60 corrupted examples" in texts(app)
    assert "figure:went" in charts(app)
    assert "figure:embedding" not in charts(app)
    app = page.button_group(key="control:highlight").set_value("undiscovered").run()
    assert "Of 42 undiscovered examples" in texts(app)
    app = select(app, 3, 5, 8)
    app = app.button_group(key="control:highlight").set_value("all").run()
    assert "Of 3 selected examples" in texts(app)
    app = page.toggle(key="control:went").set_value(False).run()
    assert "figure:embedding" in charts(app)
    assert "went" not in link(app)
    assert not app.exception
