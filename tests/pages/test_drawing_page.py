"""Drawing one's own corruption: strokes flip labels, the link holds them, and the drawing can be healed."""

from __future__ import annotations

from collections.abc import Callable

from apptools import finish_jobs, texts
from streamlit.testing.v1 import AppTest

from unlearn_core import view_state as vs
from unlearn_core.corruption.drawn import Drawing

OpenPage = Callable[..., AppTest]
BASE = "dataset=blobs&training.epochs=12&methods=finetune,rem&finetune.epochs=2&rem.epochs=2"
CANVAS = f"{BASE}&draw=on"


def query_of(drawing: Drawing, base: str = BASE) -> str:
    state, _ = vs.decode(base)
    return vs.encode(state | vs.with_drawing(state, drawing))


def test_a_drawing_is_in_the_link_and_its_scenario_knows_exactly_what_is_known() -> None:
    state, _ = vs.decode(BASE)
    clean = vs.clean_points(state).labels
    drawing = Drawing().painted(range(40, 52), 2, clean, known=False).painted(range(5), 1, clean, known=True)
    again, notices = vs.decode(query_of(drawing))
    assert notices == []
    assert vs.drawing_of(again) == drawing
    from unlearn_core.results.reader import scenario_data

    made = scenario_data(vs.to_scenario(again)).corrupted
    assert made.truth.forget_of(vs.to_scenario(again)).tolist() == sorted(drawing.known)
    assert sorted(made.truth.corrupted.tolist()) == sorted(drawing.given)
    assert vs.with_drawing(again, Drawing())["corruption"] == "dial"
    first = vs.with_drawing(state, drawing)
    assert vs.change_kind(state, first)["overrides"] == first["overrides"]  # the first stroke is not lost


def test_links_that_cannot_be_drawn_say_why_in_one_sentence() -> None:
    good = query_of(Drawing().painted([3, 4], 2, vs.clean_points(vs.decode(BASE)[0]).labels, known=True))
    for query, says in (
        (good.replace("blobs", "spirals"), "made on other data"),
        (f"{good}&seed=3", "made on other data"),
        (good.replace("dataset=blobs", "dataset=digits"), "these data are images"),
        (f"{BASE}&corruption=drawn", "Nothing is drawn yet"),
        (f"{BASE}&corruption=drawn&corruption.flips=AAAA", "cannot be read"),
    ):
        state, notices = vs.decode(query)
        assert state["corruption"] == "dial", query
        assert [one for one in notices if says in one], (query, notices)


def test_brushes_flip_mark_and_make_right_again() -> None:
    state, _ = vs.decode(BASE)
    clean = vs.clean_points(state).labels
    low, high = int((clean == 0).nonzero()[0]), int((clean == 2).nonzero()[0])
    for brush, points, expected in (
        ("class:2", (low, high), Drawing({low: 2})),  # the other one is of this class already
        ("known", (low,), Drawing({low: 2}, frozenset({low}))),
        ("class:1", (high,), Drawing({low: 2, high: 1}, frozenset({low}))),
        ("unknown", (low, high), Drawing({low: 2, high: 1})),
        ("right", (low, high), Drawing()),
    ):
        drawing = vs.stroke(state, brush, points, known=False)
        assert drawing == expected
        state = vs.clamp_state(state | vs.with_drawing(state, drawing))[0]
        assert vs.drawing_of(state) == expected
    assert "corruption" not in vs.encode(state)


def test_a_drawing_is_healed_in_one_click(open_page: OpenPage, fresh_store: object) -> None:
    clean = vs.clean_points(vs.decode(BASE)[0]).labels
    low = (clean == 0).nonzero()[:20, 0].tolist()
    app = open_page("craft", f"{query_of(Drawing().painted(low, 1, clean, known=True))}&draw=on")
    assert "**20 flipped, 20 known** of 600" in texts(app)
    app.button(key="draw-heal").click().run()
    finish_jobs()
    app.switch_page("pages/boundary.py").run()
    assert app.session_state["state"]["views"] == ("original", "retrain", "rem")
    assert "figure:boundary" in [one.key for one in app.main if getattr(one, "type", "") == "plotly_chart"]
    assert "Not computed yet" not in texts(app)
    assert not app.exception
