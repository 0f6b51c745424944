"""The five questions of a lecture: the page is what its list says, every address opens, every picture is one window."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from assets import make_questions
from unlearn_core import view_state as vs

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_list_says() -> None:
    questions = make_questions.read_questions()
    assert len(questions) == 5
    assert make_questions.PAGE.read_text(encoding="utf-8") == make_questions.written(questions)


def test_every_question_has_a_view_an_answer_that_is_looked_for_and_a_picture_of_one_window() -> None:
    for one in make_questions.read_questions():
        page, _, query = one["view"].partition("?")
        assert (ROOT / "pages" / f"{page}.py").exists()
        assert vs.decode(query)[1] == []
        assert len(one["seen"]) >= 3
        with Image.open(make_questions.PICTURES / f"{one['name']}.png") as picture:
            assert picture.size == (1280, 720)
