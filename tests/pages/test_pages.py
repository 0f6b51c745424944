"""Every page: opens without an exception, says what it shows, follows its link, and never hides what went wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import QUICK, figures, finish_jobs, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.support.escaping import escape_markdown

OpenPage = Callable[..., AppTest]
PAGES = ("start", "craft", "compare")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_and_says_what_to_see_and_to_try(open_page: OpenPage, page: str) -> None:
    app = open_page(page)
    assert "What you see" in texts(app)
    assert "Try this" in texts(app)
    assert [said.value for said in (*app.warning, *app.error)] == []
    assert "Computes on" in texts(app)


def test_only_pages_that_exist_are_in_the_navigation() -> None:
    names = {path.stem for path in (Path(__file__).parents[2] / "pages").glob("*.py")} - {"__init__"}
    source = (Path(__file__).parents[2] / "app.py").read_text()
    assert all(f"pages/{name}.py" in source for name in names)
    assert source.count("st.Page(") == len(names)


# --- Start ---------------------------------------------------------------------------------------------------------------


def test_start_draws_nothing_that_is_not_computed(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("start")
    assert "Nothing is drawn before it is computed" in texts(app)
    assert figures(app) == {"start-plane"}
    assert not app.dataframe
    assert texts(app).count('class="eunoe-card"') == 4


def test_the_demo_starts_and_can_be_cancelled(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("start")
    app.button(key="demo").click().run()
    assert not app.exception
    (cancel,) = [button for button in app.button if button.label == "Cancel"]
    cancel.click().run()
    finish_jobs()
    app.run()
    assert "cancelled" in texts(app)
    assert not [button for button in app.button if button.label == "Cancel"]


def test_the_engine_in_detail(open_page: OpenPage, fresh_store: Path) -> None:
    open_page("start")  # an app with this store

    def script() -> None:
        from pages.widgets.engine_panel import details

        details()

    app = AppTest.from_function(script, default_timeout=30).run()
    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric} == {
        "Computing": "0", "Waiting": "0", "A minute": "–", "Left": "–",
    }  # fmt: skip
    assert "UNLEARN_ENGINE" in texts(app)


# --- Craft ---------------------------------------------------------------------------------------------------------------

# --- Compare -------------------------------------------------------------------------------------------------------------


def test_before_anything_is_computed_compare_says_what_to_do(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("compare")
    assert any("Press **Run**" in info.value for info in app.info)
    assert not app.dataframe


def test_compare_shows_stored_results_with_honest_references(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", QUICK)
    table = app.dataframe[0].value
    models = list(table["Model"])
    assert [name.split(maxsplit=1)[1] for name in models] == ["Original", "Fine-tune", "REM", "Retrain", "Oracle"]
    assert set(table["State"]) == {"cached"}
    assert figures(app) == {"scatter", "trajectories"}  # those of the first tab
    assert app.button(key="run").disabled
    assert "gold" not in texts(app)
    assert "it is a reference, not the goal" in texts(app)


def test_the_same_link_shows_the_same_numbers(open_page: OpenPage, computed: vs.State) -> None:
    first = open_page("compare", QUICK).dataframe[0].value
    again = open_page("compare", vs.encode(computed)).dataframe[0].value
    assert first.equals(again)


def test_a_run_from_the_page_fills_the_table(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("compare", QUICK)
    app.button(key="run").click().run()
    finish_jobs()
    app.run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 5
    assert set(app.dataframe[0].value["State"]) == {"new"}
    assert re.search(r"Computes on (CPU|GPU \(CUDA\)) · 1 worker ready", texts(app))


def test_a_reload_finds_the_running_job(open_page: OpenPage, fresh_store: Path) -> None:
    query = QUICK.replace("training.epochs=12", "training.epochs=400")
    open_page("compare", query).button(key="run").click().run()
    reloaded = open_page("compare", query)
    (cancel,) = [button for button in reloaded.button if button.label == "Cancel"]
    cancel.click().run()
    finish_jobs()


def test_ones_cancel_is_ones_own(open_page: OpenPage, fresh_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.session import services
    from pages.widgets import jobs

    who = ["first"]
    for module in (jobs, services):
        monkeypatch.setattr(module, "me", lambda: who[0])
    query = QUICK.replace("training.epochs=12", "training.epochs=400")
    first = open_page("compare", query)
    first.button(key="run").click().run()
    who[0] = "second"
    second = open_page("compare", query)
    (cancel,) = [button for button in second.button if button.label.startswith("Cancel")]
    assert cancel.label == "Cancel (others go on)"
    cancel.click().run()
    second.run()
    assert "it goes on for others" in texts(second)
    assert not [button for button in second.button if button.label.startswith("Cancel")]
    assert not second.button(key="run").disabled
    (job,) = services.engine().jobs()
    assert job.state == "running"
    who[0] = "first"
    first.run()
    (cancel,) = [button for button in first.button if button.label.startswith("Cancel")]
    assert cancel.label == "Cancel"
    cancel.click().run()
    finish_jobs()
    assert services.engine().view(job.id).state == "cancelled"


def test_a_failed_run_has_a_panel_of_its_own_and_a_retry(open_page: OpenPage, fresh_store: Path) -> None:
    state = vs.decode(QUICK)[0]
    stages = plan_runs(vs.to_scenario(state), vs.to_methods(state))
    store = Store.open(fresh_store)
    store.fail(stages[-1].key, "run", "The loss became infinite.", "")
    app = open_page("compare", QUICK)
    assert "REM failed." in app.error[0].value
    assert "The loss became infinite." in app.error[0].value
    app.button(key=f"retry:{stages[-1].key}").click().run()
    finish_jobs()
    app.run()
    assert not app.error
    assert any("REM" in name for name in app.dataframe[0].value["Model"])


def test_without_a_forget_set_the_reason_is_given(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("compare", "discovery=0&dataset=blobs")
    assert "need a forget set" in app.info[0].value
    assert not app.exception
    left = [line for line in texts(app).splitlines() if "is computed yet" in line]
    methods = len(vs.default_state()["methods"])
    assert re.search(rf"the original model and [1-{methods - 1}] methods?, and", left[0])  # those that it names are not run
    assert "the oracle is the only reference" not in texts(app) or "Retrain" in app.info[0].value


def test_at_full_discovery_retraining_is_the_gold_standard(open_page: OpenPage, fresh_store: Path) -> None:
    query = QUICK + "&discovery=1"
    app = open_page("compare", query)
    app.button(key="run").click().run()
    finish_jobs()
    app.run()
    assert "gold standard" in texts(app)


def test_fewer_than_two_methods_cannot_run(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("compare")
    app.multiselect(key="control:methods").set_value(["rem"]).run()
    assert app.button(key="run").disabled
    assert any("at least two" in info.value for info in app.info)


def test_a_parameter_changes_the_link_and_the_key(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("compare", QUICK, methods_open=True)
    app.number_input(key="parameter:rem.epochs").set_value(3).run()
    assert link(app)["rem.epochs"] == "3"
    assert not app.button(key="run").disabled


def test_copied_commands_are_those_of_the_view(open_page: OpenPage, computed: vs.State) -> None:
    codes = [code.value for code in open_page("compare", QUICK).code]
    assert any(QUICK.split("&")[0] in code for code in codes)
    assert any(code.startswith("python -m unlearn_core run --dataset blobs") for code in codes)


# --- bad links -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("seed", range(4))
def test_random_links_open_with_notices(open_page: OpenPage, page: str, seed: int) -> None:
    rng = random.Random(seed)
    # Whether a forget set exists, the store alone can say, and a page asks about files: these notices are the page's own.
    its_own = {"forget", *vs.PATHS}
    names = [control.query_name for control in vs.CONTROLS if control.name not in its_own] + [
        "rem.epochs",
        "model.width",
        "zzz",
    ]
    words = ["nan", "-1", "0", "0.5", "1e9", "rem,npo", "cnn", "blobs", "", "plane,seed", "☃"]
    query = {rng.choice(names): rng.choice(words) for _ in range(6)}
    app = open_page(page, "&".join(f"{name}={value}" for name, value in query.items()))
    state, notices = vs.decode(query)
    assert [warning.value for warning in app.warning] == [escape_markdown(notice) for notice in notices]
    assert vs.decode(link(app))[0] == state
