"""A shared app: who its lecturer is, and that everybody else reads, and neither writes nor starts anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apptools import QUICK, link, texts
from streamlit.testing.v1 import AppTest

from pages.session import audience, drafts, following, permission
from pages.session.classroom import classroom
from pages.widgets.waiting import NOT_YET

ADDRESS = "http://192.168.1.7:8501"
UNCOMPUTED = QUICK.replace("amount=60", "amount=61")


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(audience.SHARE, ADDRESS)
    monkeypatch.setenv(audience.LECTURER, "the-word")
    yield
    classroom().stop_leading()
    classroom().end()


def leading(open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, view: str) -> AppTest:
    """A lecturer who leads, on Craft with this view."""
    monkeypatch.setattr(following, "lives", lambda session: True)
    lecturer = open_page("craft", f"lecturer=the-word&{view}")
    return lecturer.toggle[0].set_value(True).run()


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


@pytest.mark.parametrize(
    ("peer", "host", "more", "expected"),
    [
        ("127.0.0.1", "localhost:8501", {}, True),
        ("::1", "[::1]:8501", {}, True),
        ("192.168.1.20", "192.168.1.7:8501", {}, False),
        ("192.168.1.20", "localhost:8501", {}, False),  # a student who writes the header by hand
        ("127.0.0.1", "lab.example", {}, False),  # a proxy on this computer
        ("127.0.0.1", "localhost:8501", {"X-Forwarded-For": "192.168.1.20"}, False),
        (None, "localhost:8501", {}, False),
    ],
)
def test_the_lecturer_is_who_opens_the_app_on_its_own_computer(
    peer: str | None, host: str, more: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        headers = {"Host": host} | more

    monkeypatch.setattr(audience, "peer", lambda: peer)
    monkeypatch.setattr(audience.st, "context", Context)
    assert audience.lecturer() is expected
    assert audience.visitor() is not expected
    monkeypatch.setenv(audience.SHARE, "")
    assert not audience.visitor()


def test_the_word_makes_a_lecturer_and_leaves_the_address_at_once(open_page: Callable[..., AppTest]) -> None:
    app = open_page("lessons", "lecturer=the-word&seed=3")
    assert "lecturer" not in link(app)
    assert app.session_state["state"]["seed"] == 3
    assert [toggle.label for toggle in app.toggle] == ["Lead"]
    assert f'alt="QR code of {ADDRESS}"' in texts(app)
    assert "the-word" not in texts(app)
    for query in ("", "lecturer=", "lecturer=guess"):
        student = open_page("lessons", query)
        assert "lecturer" not in link(student)
        assert not student.toggle
        assert "QR code" not in texts(student)
        assert "Follow the lecturer" in labels(student)


def test_an_app_that_is_not_shared_has_no_class(open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(audience.SHARE, "")
    app = open_page("lessons")
    assert "Follow the lecturer" not in labels(app)
    assert not app.toggle


def test_a_visitor_starts_nothing(open_page: Callable[..., AppTest], fresh_store: Path) -> None:
    from pages.session.services import engine

    for page in ("compare", "boundary", "embedding", "redirect", "forget", "craft"):
        app = open_page(page, UNCOMPUTED)
        assert not labels(app) & {"Run", "Run again", "Cancel", "Compute it", "Try again", "Measure the regularity"}, page
        assert NOT_YET in texts(app), page
    assert engine().jobs() == []
    app = open_page("start")
    app.button(key="demo").click().run()
    assert audience.ONLY_LECTURER in texts(app)
    assert engine().jobs() == []


def test_a_visitor_s_view_names_no_file(open_page: Callable[..., AppTest], tmp_path: Path) -> None:
    app = open_page("craft", f"dataset=images&dataset.data={tmp_path}&seed=4")
    assert permission.NOT_FOR_VISITORS in texts(app)
    assert (app.session_state["state"]["dataset"], app.session_state["state"]["seed"]) == ("digits", 4)
    assert str(tmp_path) not in texts(app)
    assert not app.session_state["link-asks"]
    own = open_page("own", f"own={tmp_path}")
    assert audience.ONLY_LECTURER in texts(own)
    assert not own.text_input
    assert not own.get("file_uploader")


def test_a_visitor_keeps_no_forget_set(open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(drafts.st, "session_state", {audience.WORD: True})
        drafts.attempt(lambda: done.append("lecturer"))
        patch.setattr(drafts.st, "session_state", memory := {})
        drafts.attempt(lambda: done.append("visitor"))
    assert done == ["lecturer"]
    assert memory["notices"] == [audience.ONLY_LECTURER]


def test_a_visitor_types_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = {"own": "/etc", "seed": 3, "overrides": {"dataset.data": "/etc", "rem.epochs": 2, "dataset.download": True}}
    with monkeypatch.context() as patch:
        patch.setattr(permission.st, "session_state", {})
        assert permission.allowed(typed) == ({"seed": 3, "overrides": {"rem.epochs": 2}}, [permission.NOT_FOR_VISITORS])
        patch.setattr(permission.st, "session_state", {audience.WORD: True})
        assert permission.allowed(typed) == (typed, [])


def test_what_the_lecturer_looks_at_is_taken_and_left(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    lecturer = leading(open_page, monkeypatch, "dataset=blobs&regularity=0.5")
    student = open_page("lessons")
    assert link(student) == {}
    student.button(key="class-follow").click().run()
    assert student.session_state["page"] == "craft"
    assert (link(student)["dataset"], link(student)["regularity"]) == ("blobs", "0.5")
    lecturer.slider(key="control:regularity").set_value(0.25).run()
    student.run()
    assert link(student)["regularity"] == "0.25"
    assert student.slider(key="control:regularity").value == 0.25
    student.button(key="class-leave").click().run()
    lecturer.slider(key="control:regularity").set_value(1.0).run()
    student.run()
    assert link(student)["regularity"] == "0.25"
    student.button(key="class-follow").click().run()
    assert "regularity" not in link(student) or link(student)["regularity"] == "1.0"


def test_what_a_student_set_for_itself_is_not_what_the_class_sees(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is drawn in the session of whoever comes first, with widgets that no link knows."""
    lecturer = leading(open_page, monkeypatch, "dataset=blobs&draw=on")
    student = open_page("craft", "dataset=blobs&draw=on")

    def known(app: AppTest) -> bool:
        return bool(next(toggle for toggle in app.toggle if toggle.label == "New ones are known").value)

    usual = known(lecturer)
    next(toggle for toggle in student.toggle if toggle.label == "New ones are known").set_value(not usual).run()
    assert known(student) is not usual
    student.button(key="class-follow").click().run()
    assert known(student) is usual


def test_a_run_of_the_page_before_is_no_way_of_leaving(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that has not heard yet that the page was switched asks for the one before once more."""
    lecturer = leading(open_page, monkeypatch, "dataset=blobs")
    student = open_page("lessons")
    student.button(key="class-follow").click().run()
    lecturer.switch_page("pages/lessons.py").run()
    student.run()
    student.switch_page("pages/craft.py").run()
    assert student.session_state["page"] == "lessons"
    assert "Leave" in labels(student)
    student.switch_page("pages/own.py").run()  # which the student chose
    assert student.session_state["page"] == "own"
    assert "Follow the lecturer" in labels(student)

    student.button(key="class-follow").click().run()
    monkeypatch.setattr(following, "LATE_SECONDS", 0.0)
    student.switch_page("pages/craft.py").run()
    assert student.session_state["page"] == "craft"
    assert "Follow the lecturer" in labels(student)


def test_the_lecturer_s_own_files_are_not_followed(open_page: Callable[..., AppTest]) -> None:
    room = classroom()
    room.lead_by("lecturer")
    room.publish("lecturer", "craft", "", None)
    student = open_page("lessons")
    student.button(key="class-follow").click().run()
    assert student.session_state["page"] == "lessons"
    assert "files of their own" in texts(student)
