"""A lesson on paper: everything in it, and nothing of a text taken as HTML."""

from __future__ import annotations

import re

import pytest

from unlearn_core.view_state.lessons import Lesson, lessons, parse
from unlearn_core.views.text.lesson_sheet import sheet

TEXT = """# Which <b>one</b>?

What **you** know.

## First
page: craft
minutes: 2

Look <script>alert(1)</script> here.

Question: What comes?
- This
+ That & more

Answer: Because *so*.

Lecturer: Ask them.
"""


@pytest.mark.parametrize("lesson", lessons().values(), ids=lambda lesson: lesson.name)
def test_a_sheet_holds_all_of_a_lesson(lesson: Lesson) -> None:
    text = sheet(lesson)
    for step in lesson.steps:
        assert step.title in text
    assert "<script" not in text
    assert not re.search(r'(src|href)="http', text)


def test_what_is_text_stays_text() -> None:
    text = sheet(parse("x", TEXT))
    assert "Which &lt;b&gt;one&lt;/b&gt;?" in text
    assert "&lt;script&gt;" in text
    assert "<strong>you</strong>" in text
    assert "That &amp; more <b>✓</b>" in text


def test_a_student_s_answer_is_pointed_out_and_the_true_one_stays_the_true_one() -> None:
    text = sheet(parse("x", TEXT), {1: 0})
    assert "<li>This <small>(your answer)</small></li>" in text
    assert "<li>That &amp; more <b>✓</b></li>" in text


def test_notes_are_for_the_lecturer() -> None:
    lesson = parse("x", TEXT)
    assert "Ask them." not in sheet(lesson)
    assert "Ask them." in sheet(lesson, notes=True)
    assert "2 min" in sheet(lesson, notes=True)
