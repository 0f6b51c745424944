"""A page that a class follows is drawn once: the next student is sent the same, where a page can be sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apptools import QUICK, texts
from streamlit.testing.v1 import AppTest

from pages.session import audience, replay
from pages.session.classroom import classroom
from unlearn_core import view_state as vs

OpenPage = Callable[..., AppTest]
VIEW = f"{QUICK}&lesson=retraining&step=2"


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(audience.SHARE, "http://192.168.1.7:8501")
    monkeypatch.setenv(audience.LECTURER, "the-word")
    replay.forget()
    yield
    classroom().stop_leading()
    replay.forget()


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The page bodies that were drawn by a script, and not sent: one entry each."""
    from pages.widgets import show

    drawn: list[str] = []
    share = show.share

    def counted(*args: Any, **options: Any) -> Any:
        drawn.append("body")
        return share(*args, **options)

    monkeypatch.setattr(show, "share", counted)
    return drawn


def lead(open_page: OpenPage, page: str, query: str) -> AppTest:
    app = open_page(page, f"lecturer=the-word&{query}")
    return app.toggle[0].set_value(True).run()


def follow(open_page: OpenPage, page: str) -> AppTest:
    app = open_page(page)
    next(button for button in app.button if button.label == "Follow the lecturer").click().run()
    assert not app.exception
    return app


def seen(app: AppTest) -> list[tuple[str, str]]:
    """What is on the page, element for element, without what the bar tells this student."""
    return [(element.type, str(getattr(element, "proto", ""))) for element in app.main if element.type != "unknown"]


def test_the_second_student_is_sent_what_the_first_one_s_script_drew(
    open_page: OpenPage, computed: vs.State, bodies: list[str]
) -> None:
    lead(open_page, "compare", VIEW)
    first = follow(open_page, "compare")
    before = len(bodies)
    second = follow(open_page, "compare")
    assert len(bodies) == before + 1  # its own page, before it followed
    assert seen(second) == seen(first)
    assert "REM" in texts(second)
    assert "lesson-next" in {button.key for button in second.button}  # the lesson's bar is each student's own


def test_who_does_not_follow_and_who_leads_draw_their_own_page(
    open_page: OpenPage, computed: vs.State, bodies: list[str]
) -> None:
    lecturer = lead(open_page, "compare", VIEW)
    follow(open_page, "compare")
    for app in (lecturer, open_page("compare", VIEW)):
        before = len(bodies)
        app.run()
        assert len(bodies) == before + 1


def test_what_one_student_is_told_reaches_nobody_else(open_page: OpenPage, computed: vs.State) -> None:
    lead(open_page, "compare", VIEW)
    first = open_page("compare")
    first.session_state["notices"] = ["Your link names tomorrow."]
    next(button for button in first.button if button.label == "Follow the lecturer").click().run()
    assert "tomorrow" not in texts(first)
    assert "tomorrow" not in texts(follow(open_page, "compare"))


def test_old_positions_of_controls_change_nothing_while_one_follows(open_page: OpenPage, computed: vs.State) -> None:
    lecturer = lead(open_page, "compare", VIEW)
    app = follow(open_page, "compare")
    app.multiselect(key="control:methods").set_value(["npo", "scrub"]).run()  # what a browser that is behind still says
    assert app.session_state["state"]["methods"] == lecturer.session_state["state"]["methods"]
    assert "Leave" in {button.label for button in app.button}


def test_a_new_view_is_drawn_anew(open_page: OpenPage, computed: vs.State, bodies: list[str]) -> None:
    lecturer = lead(open_page, "compare", VIEW)
    follow(open_page, "compare")
    lecturer.session_state["state"] = lecturer.session_state["state"] | {"tab": "classes"}
    lecturer.run()
    before = len(bodies)
    follow(open_page, "compare")
    assert len(bodies) == before + 2


def test_a_page_that_tells_what_one_answered_is_each_student_s_own(open_page: OpenPage, computed: vs.State) -> None:
    lead(open_page, "lessons", "")
    for _ in range(2):
        assert {button.key for button in follow(open_page, "lessons").button} >= {"lesson:retraining"}


class Page:
    """What of a run of Streamlit's is needed here."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def enqueue(self, message: Any) -> None:
        self.sent.append(message)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    made = Page()
    monkeypatch.setattr(replay, "get_script_run_ctx", lambda: made)
    return made


def message(kind: str) -> Any:
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    made = ForwardMsg()
    if kind == "timer":
        made.auto_rerun.fragment_id = "part"
    else:
        made.delta.new_element.text.body = kind
        made.delta.fragment_id = "part"
        made.metadata.delta_path[:] = [0, 4, 1]
    return made


def test_parts_that_were_drawn_alone_come_whole_and_in_their_place(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    with replay.recording(("view",)):
        page.enqueue(message("words"))
    monkeypatch.setattr(replay, "_here", lambda: 3)  # this session has three elements more above
    assert replay.send(("view",)) == (True, False)
    assert [(one.delta.new_element.text.body, one.delta.fragment_id) for one in page.sent] == [("words", "part"), ("words", "")]
    assert [list(one.metadata.delta_path) for one in page.sent] == [[0, 4, 1], [0, 7, 1]]


def test_a_page_that_draws_a_part_of_itself_again_is_not_sent(page: Page) -> None:
    with replay.recording(("moving",)):
        page.enqueue(message("words"))
        page.enqueue(message("timer"))
    assert replay.send(("moving",)) == (False, False)


def test_where_drawing_failed_the_next_who_comes_draws_for_all(page: Page) -> None:
    with pytest.raises(RuntimeError), replay.recording(("view",)):
        raise RuntimeError
    assert replay.send(("view",)) == (False, False)
    with replay.recording(("view",)):
        page.enqueue(message("words"))
    assert replay.send(("view",)) == (True, False)


def test_who_comes_while_it_is_drawn_waits_for_it(page: Page) -> None:
    answers: list[tuple[bool, bool]] = []
    with replay.recording(("view",)) as drawing:
        page.enqueue(message("words"))
        other = threading.Thread(target=lambda: answers.append(replay.send(("view",))))
        other.start()
        other.join(0.2)
        assert answers == []
        drawing.waits = True
    other.join(10)
    assert answers == [(True, True)]
