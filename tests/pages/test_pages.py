"""Every page: opens without an exception, says what it shows, follows its link, and never hides what went wrong."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import QUICK, finish_jobs, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.datasets.torchvision_sets import TorchvisionArrays
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.support.escaping import escape_markdown

OpenPage = Callable[..., AppTest]
PAGES = ("start", "craft", "compare")


def figures(app: AppTest) -> set[str]:
    """Names of the pictures on the page."""
    return {
        element.key.removeprefix("figure:") for element in app.main if str(getattr(element, "key", "")).startswith("figure:")
    }


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_and_says_what_to_see_and_to_try(open_page: OpenPage, page: str) -> None:
    app = open_page(page)
    assert "What you see" in texts(app)
    assert "Try this" in texts(app)
    assert not app.warning
    assert not app.error
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


def test_craft_shows_twelve_examples_and_counts_that_add_up(open_page: OpenPage) -> None:
    app = open_page("craft")
    assert texts(app).count('class="eunoe-card"') == 12
    assert "26 of 86 corrupted examples are known" in texts(app)
    for number in ("1,351", "26", "60"):
        assert f"<b>{number}</b>" in texts(app)
    total = app.dataframe[0].value.iloc[-1]
    assert (total["discovered"], total["undiscovered"], total["total"]) == (26, 60, 86)
    assert figures(app) == {"mixture", "plane"}


def test_the_kind_of_trigger_brings_its_own_widgets(open_page: OpenPage) -> None:
    app = open_page("craft", "t_size=1")
    assert texts(app).count("eunoe-three") > 12  # before, change, after
    app.selectbox(key="control:trigger_kind").select("blended").run()
    assert not app.warning  # what belonged to the patch went with it
    assert [box.key for box in app.number_input if "trigger" in box.key] == ["parameter:trigger.alpha"]
    app.number_input(key="parameter:trigger.alpha").set_value(0.4).run()
    assert link(app) == {"t_kind": "blended", "trigger.alpha": "0.4"}
    app.selectbox(key="control:trigger_kind").select("patch").run()
    assert link(app) == {}
    assert len([box for box in app.number_input if "control:trigger" in box.key]) == 3


def test_a_corruption_takes_the_dial_s_place_on_the_page(open_page: OpenPage, shift: None) -> None:
    app = open_page("craft")
    app.selectbox(key="control:corruption").select("shift").run()
    app.number_input(key="parameter:corruption.by").set_value(3).run()
    assert link(app) == {"corruption": "shift", "corruption.by": "3"}
    assert app.slider(key="control:regularity").disabled
    assert "off, “Shifted labels” takes its place" in texts(app)
    assert "86 corrupted examples are known" in texts(app)
    assert figures(app) == set()  # no position of the dial, and no mixture
    assert app.dataframe[0].value.iloc[0]["total"] == 86
    assert open_page("craft", "dataset=blobs&corruption=shift").warning


def test_public_sets_are_a_button_away_and_never_for_strangers(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path))
    asked: list[object] = []
    monkeypatch.setattr(TorchvisionArrays, "download", lambda self, tell: asked.append(self.source.name))

    def offers(app: AppTest) -> list[str]:
        return [button.label for button in app.button if "get:" in str(button.key)]

    app, own = open_page("craft"), open_page("own")
    assert offers(app)[:2] == ["MNIST: get it (12 MB)", "FashionMNIST: get it (31 MB)"]
    assert offers(own) == offers(app)
    assert "MNIST" not in app.selectbox(key="control:dataset").options
    assert asked == []
    own.button(key="get:fashion_mnist").click().run()
    finish_jobs()
    assert asked == ["fashion_mnist"]
    for page in (app, own):
        assert "Getting FashionMNIST failed" in texts(page.run())  # this one brought nothing
    monkeypatch.setenv("UNLEARN_PUBLIC", "1")
    assert not offers(open_page("craft")) + offers(open_page("own"))


def test_the_dials_answer_and_the_link_follows(open_page: OpenPage) -> None:
    app = open_page("craft")
    app.slider(key="control:regularity").set_value(0.25).run()
    app.slider(key="control:discovery").set_value(0.5).run()
    assert link(app) == {"regularity": "0.25", "discovery": "0.5"}
    assert "random labels → confusion" in texts(app)
    assert "43 of 86" in texts(app)


def test_a_move_of_the_slider_is_quick(open_page: OpenPage) -> None:
    app, taken = open_page("craft"), []
    for k in range(5):
        start = time.process_time()  # whatever else the machine does meanwhile
        app.slider(key="control:regularity").set_value(0.1 + 0.2 * k).run()
        taken.append(time.process_time() - start)
    assert min(taken) < 0.6, taken  # 0.15 s where nothing else runs


def test_points_are_shown_as_a_scatter(open_page: OpenPage) -> None:
    app = open_page("craft", "dataset=spirals&regularity=0.7")
    assert "points" in figures(app)
    assert app.selectbox(key="control:dataset").value == "spirals"
    assert "11 of 36" in texts(app)


def test_an_impossible_setting_is_corrected_with_a_sentence(open_page: OpenPage) -> None:
    app = open_page("craft", "regularity=0.5")
    app.slider(key="control:amount").set_value(0.4).run()
    assert not app.exception
    assert "116 examples are corrupted" in app.warning[0].value
    app.run()
    assert not app.warning


def test_choosing_the_same_class_twice_moves_the_other(open_page: OpenPage) -> None:
    app = open_page("craft", "regularity=0.5")
    app.selectbox(key="control:class_a").set_value(5).run()
    assert "must differ" in app.warning[0].value
    assert app.selectbox(key="control:class_b").value == 6


def test_generated_parameters_reach_the_link(open_page: OpenPage) -> None:
    app = open_page("craft")
    app.number_input(key="parameter:training.epochs").set_value(7).run()
    assert link(app)["training.epochs"] == "7"


def test_the_state_survives_a_change_of_page(open_page: OpenPage) -> None:
    app = open_page("craft")
    app.slider(key="control:discovery").set_value(0.9).run()
    app.query_params.clear()
    app.switch_page("pages/compare.py").run()
    assert "90 % discovered" in texts(app)
    assert link(app)["discovery"] == "0.9"


def test_the_regularity_is_measured_on_request(open_page: OpenPage, fresh_store: Path) -> None:
    app = open_page("craft", "dataset=blobs&training.epochs=2&amount=30")
    assert not app.metric
    app.button(key="measure").click().run()
    finish_jobs()
    app.run()
    assert not app.exception
    assert 0 <= float(app.metric[0].value) <= 1


@pytest.mark.parametrize(
    ("name", "widget"), [("regularity", "slider"), ("dataset", "selectbox"), ("discovery", "slider"), ("seed", "number_input")]
)
def test_hidden_controls_are_left_out(open_page: OpenPage, name: str, widget: str) -> None:
    app = open_page("craft", f"hide={name}&seed=3")
    assert f"control:{name}" not in {element.key for element in getattr(app, widget)}
    assert link(app)["hide"] == name
    assert vs.decode(link(app))[0]["seed"] == 3


@pytest.mark.parametrize("panel", ["plane", "preview", "measured", "options"])
def test_hidden_panels_are_left_out(open_page: OpenPage, panel: str) -> None:
    app = open_page("craft", f"hide={panel}")
    assert not app.exception
    assert "plane" not in figures(app) or panel != "plane"
    assert 'class="eunoe-card"' not in texts(app) or panel != "preview"


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
