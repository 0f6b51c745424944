"""Craft: examples before and after, controls that answer, and parts that can be hidden."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from apptools import figures, finish_jobs, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.datasets.torchvision_sets import TorchvisionArrays

OpenPage = Callable[..., AppTest]


def test_craft_shows_twelve_examples_and_counts_that_add_up(open_page: OpenPage) -> None:
    app = open_page("craft")
    assert texts(app).count('class="eunoe-card"') == 12
    assert len(re.findall(r'given <span class="eunoe-wrong">0</span></span><span>truly [1-9]<', texts(app))) == 12
    assert "Position of the dial: **trigger**" in texts(app)
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
    open_page: OpenPage, fresh_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARN_CACHE", str(fresh_store / "cache"))
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


@pytest.mark.parametrize(("dataset", "most"), [("digits", 0.6), ("blobs", 0.3)])
def test_a_move_of_the_slider_is_quick(open_page: OpenPage, dataset: str, most: float) -> None:
    app, taken = open_page("craft", f"dataset={dataset}"), []
    for k in range(5):
        start = time.process_time()  # whatever else the machine does meanwhile
        app.slider(key="control:regularity").set_value(0.1 + 0.2 * k).run()
        taken.append(time.process_time() - start)
    assert min(taken) < most, taken


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
