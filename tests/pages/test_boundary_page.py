"""Decision boundary: every setting in the link, fading points, the timeline from stored frames, what is missing is offered."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from apptools import QUICK, finish_jobs, link, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs

OpenPage = Callable[..., AppTest]
SHOWN = QUICK + "&views=original,rem"


def figure(app: AppTest) -> str:
    """The picture as it is sent to the browser, or nothing."""
    sent = next((e.proto.spec for e in app.main if getattr(e, "key", None) == "figure:boundary"), None)
    return json.dumps(json.loads(sent), ensure_ascii=False, separators=(",", ":")) if sent else ""


def test_the_default_is_the_original_two_methods_and_the_oracle(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("boundary", QUICK)
    assert app.multiselect(key="control:views").value == ["original", "finetune", "rem", "oracle_retrain"]
    assert all(name in figure(app) for name in ("<b>Original</b> · heals", "<b>Fine-tune</b>", "<b>REM</b>", "<b>Oracle</b>"))
    assert "views" not in link(app)


def test_what_is_not_stored_is_offered_and_then_shown(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("boundary", SHOWN)
    assert not figure(app)
    assert "Not computed yet for this scenario: Original model (blobs, seed 0), REM." in texts(app)
    app.button(key="run").click().run()
    finish_jobs()
    app.run()
    assert "<b>REM</b> · heals" in figure(app)
    assert "run" not in {button.key for button in app.button}


def test_settings_are_in_the_link_and_come_back(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("boundary", SHOWN)
    app.button_group(key="control:shading").set_value("hard").run()
    app.button_group(key="control:splits").set_value(["test"]).run()
    app.button_group(key="control:groups").set_value(["undiscovered"]).run()
    app.multiselect(key="control:views").set_value(["original", "finetune"]).run()
    shown = link(app)
    assert (shown["shading"], shown["splits"], shown["groups"]) == ("hard", "test", "undiscovered")
    assert shown["views"] == "original,finetune"
    again = open_page("boundary", "&".join(f"{k}={v}" for k, v in shown.items()))
    assert figure(again) == figure(app)
    assert "Pale ground" not in texts(again)


def test_points_that_are_not_chosen_fade_and_do_not_vanish(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("boundary", SHOWN + "&splits=&groups=discovered")
    assert not app.exception
    for words in ("test, clean (300)", "clean (540)", "undiscovered (42)", "discovered (18)"):
        assert words in figure(app)
    assert figure(app).count('"opacity":0.13') == 8


def test_the_timeline_comes_from_the_engine_and_opens_at_its_step(open_page: OpenPage, computed: vs.State) -> None:
    app = open_page("boundary", SHOWN + "&time=rounds&frame=1")
    finish_jobs()
    app.run()
    assert '"frames":[' in figure(app)
    assert '"active":1' in figure(app)
    assert "round 1 of 2" in figure(app)
    assert app.number_input(key="control:frame").value == 1
    app.number_input(key="control:frame").set_value(2).run()
    assert link(app)["frame"] == "2"
    assert '"active":2' in figure(app)


@pytest.mark.parametrize(
    "query",
    [
        "views=original,finetune,rem,retrain,oracle_retrain,npo",
        "views=nobody",
        "frame=88&time=rounds",
        "anchor_a=99999&anchor_b=5",
        "discovery=0",
        "shading=loud&splits=all&time=never",
        "hide=views,shading,splits,groups,time,frame,boundary,anchors",
    ],
)
def test_no_link_breaks_the_page(open_page: OpenPage, computed: vs.State, query: str) -> None:
    app = open_page("boundary", f"{QUICK}&{query}")
    assert not app.exception
    assert not app.error


def test_images_have_a_plane_through_three_of_them(open_page: OpenPage, fresh_store: object) -> None:
    quick = "training.epochs=1&rem.epochs=1&views=original,rem"
    app = open_page("boundary", quick)
    app.button(key="run").click().run()
    finish_jobs()
    app.run()
    assert "with the trigger" in texts(app)
    assert "predicted" in texts(app)
    first = app.number_input(key="control:anchor_a").value
    app.button(key="another").click().run()
    assert link(app)["anchor_a"] == str(app.number_input(key="control:anchor_a").value) != str(first)
    app.number_input(key="control:anchor_c").set_value(7).run()
    assert "no. 7" in texts(app)
    app.button(key="default-anchors").click().run()
    assert "anchor_a" not in link(app)
    same = open_page("boundary", f"{quick}&anchor_a=3&anchor_b=9&anchor_c=9")
    assert not same.exception
    assert "on one line" in texts(same)


def test_what_workers_draw_is_the_same_picture(
    open_page: OpenPage, computed: vs.State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photographs are drawn by workers; here points are, so that both ways can be compared."""
    from pages.cache import boundary as drawn
    from unlearn_core.views.boundary import stored as planes

    here = figure(open_page("boundary", SHOWN))
    drawn._field.clear()
    monkeypatch.setattr(planes, "computed_elsewhere", lambda scenario: True)
    app = open_page("boundary", SHOWN)
    finish_jobs()
    for _ in range(3):
        app.run()
        finish_jobs()
    assert figure(app) == here
    assert here
