"""Lessons: every page, control and value that a step names exists; steps can be walked both ways; the rest is kept."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from unlearn_core import view_state as vs
from unlearn_core.errors import UserError
from unlearn_core.view_state.lessons import KEPT, MAX_STEPS, Lesson, lessons, parse

ROOT = Path(__file__).parents[2]
ALL = list(lessons().values())
ASKING = """
## Third
page: craft
panel: figure:plane
minutes: 2.5

Look.

Question: Which?
- One
+ Two

Answer: For a reason.

Answer: And another.

Lecturer: Say it.

Again.
"""
GOOD = "# Title\n\nWhat it\nsays.\n\n## First\npage: craft\nset: regularity=0.5\n\nText.\n\n## Second\npage: compare\n\nMore.\n"


def pages() -> set[str]:
    """The pages in the app's navigation."""
    return set(re.findall(r'st\.Page\("pages/(\w+)\.py"', (ROOT / "app.py").read_text()))


def test_there_are_ten_and_each_has_a_name_of_its_own() -> None:
    assert len(ALL) >= 10
    assert len({lesson.title for lesson in ALL}) == len(ALL)


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.name)
def test_a_lesson_is_short_and_names_pages_that_exist(lesson: Lesson) -> None:
    assert 2 <= len(lesson.steps) <= MAX_STEPS
    assert lesson.summary.endswith(".")
    for step in lesson.steps:
        assert step.page in pages()
        assert (ROOT / "pages" / f"{step.page}.py").exists()
        assert len(step.text.split()) <= 60  # with the question beside it, it has to fit on the screen with what it is about


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.name)
def test_each_step_asks_and_has_a_word_to_the_lecturer(lesson: Lesson) -> None:
    for step in lesson.steps:
        assert step.question is not None, step.title
        assert len(set(step.question.answers)) == len(step.question.answers)
        assert step.notes, step.title
    assert 5 <= lesson.minutes <= 20


def test_lessons_come_in_the_order_of_their_numbers() -> None:
    names = list(lessons())
    assert names.index("kinds") < names.index("spurious")  # 2 before 10


def test_a_question_is_read_with_its_answers() -> None:
    step = parse("x", GOOD + ASKING).steps[-1]
    assert (step.text, step.panel, step.minutes, step.notes) == ("Look.\n\nAgain.", "figure:plane", 2.5, "Say it.")
    assert step.question is not None
    assert (step.question.asked, step.question.answers, step.question.right) == ("Which?", ("One", "Two"), 1)
    assert step.question.told == "For a reason.\n\nAnd another."


@pytest.mark.parametrize(
    ("text", "said"),
    [(ASKING.replace("+ Two", "- Two"), "answers"), (ASKING.replace("- One\n", ""), "answers"),
     (ASKING.replace("- One", "+ One"), "answers"), (ASKING.replace("- One", "One"), "answers"),
     (ASKING.replace("Answer:", "So:"), "Answer:"), (ASKING.replace("2.5", "two"), "minutes")],
)  # fmt: skip
def test_what_is_wrong_with_a_question_is_said(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse("x", GOOD + text)


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.name)
def test_every_setting_is_a_control_with_a_value_that_it_takes(lesson: Lesson) -> None:
    for number, step in enumerate(lesson.steps, 1):
        _, notices = vs.decode(urlencode(dict(step.settings)))
        assert notices == [], step.title
        _, notices = vs.decode(urlencode({k: v for earlier in lesson.steps[:number] for k, v in earlier.settings}))
        assert notices == [], step.title
        state = lesson.state_at(number, vs.default_state())
        again, notices = vs.decode(vs.encode(state))
        assert again == state
        assert notices == []
        assert len(vs.encode(state)) < vs.MAX_QUERY
        for key, value in step.settings:
            assert "lesson" not in key
            assert key not in ("hide", "lock")
            assert value != ""


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.name)
def test_a_step_looks_the_same_from_both_sides(lesson: Lesson) -> None:
    start = vs.default_state() | {"seed": 4, "hide": ("seed",), "lock": ("dataset",)}
    forth = start
    for number in range(1, len(lesson.steps) + 1):
        forth = lesson.state_at(number, forth)
    assert lesson.state_at(1, forth) == lesson.state_at(1, start)
    assert {name: forth[name] for name in KEPT} == {"hide": ("seed",), "lock": ("dataset",)}
    assert (forth["lesson"], forth["step"]) == (lesson.name, len(lesson.steps))


def test_what_was_moved_is_noticed() -> None:
    lesson = parse("x", GOOD)
    state = lesson.state_at(2, vs.default_state())
    assert not lesson.differs(2, state)
    assert not lesson.differs(2, state | {"discovery": 0.7})  # the lesson says nothing about it
    assert lesson.differs(2, state | {"regularity": 0.7})


def test_a_file_becomes_steps() -> None:
    lesson = parse("x", GOOD)
    assert (lesson.title, lesson.summary) == ("Title", "What it says.")
    assert [(s.title, s.page, s.settings, s.text) for s in lesson.steps] == [
        ("First", "craft", (("regularity", "0.5"),), "Text."),
        ("Second", "compare", (), "More."),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "No title\n\n## A\npage: craft\n\nText.", "# T\n\nS.\n", "# T\n\nS.\n\n## A\nset: regularity=1\n\nText.",
     "# T\n\nS.\n\n## A\npage: craft\n", "# T\n\nS.\n\n## A\npage: craft\ncolour: red\n\nText.",
     "# T\n\nS.\n\n" + "## A\npage: craft\n\nText.\n\n" * 7],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said(text: str) -> None:
    with pytest.raises(UserError, match="'x'"):
        parse("x", text)


def test_the_link_carries_lesson_and_step() -> None:
    name = ALL[0].name
    state, notices = vs.decode(f"lesson={name}&step=2")
    assert notices == []
    assert (state["lesson"], state["step"]) == (name, 2)
    assert vs.decode("lesson=nothing&step=99")[0]["lesson"] == ""
