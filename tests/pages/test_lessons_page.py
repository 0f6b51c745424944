"""Lessons in the app: a walk through each, the way back, leaving; links for teachers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from apptools import figures, link, texts
from streamlit.testing.v1 import AppTest

from benchmarks.measure.lesson_pictures import looked_at
from pages.widgets import jobs
from unlearn_core import view_state as vs
from unlearn_core.view_state.lessons import lessons

OpenPage = Callable[..., AppTest]


def here(app: AppTest) -> str:
    return str(app.session_state["page"])


def press(app: AppTest, key: str) -> None:
    """Press a button that may lead to another page; the test's app would stay on the one it knows."""
    app.button(key=key).click().run()
    assert not app.exception
    app.switch_page(f"pages/{here(app)}.py").run()


@pytest.mark.parametrize("name", list(lessons()))
def test_a_lesson_runs_to_its_end(open_page: OpenPage, fresh_store: object, name: str) -> None:
    lesson = lessons()[name]
    app = open_page("lessons")
    press(app, f"lesson:{name}")
    for number, step in enumerate(lesson.steps, 1):
        assert not app.exception
        assert not app.warning
        assert not app.error
        assert here(app) == step.page
        assert f"step {number} of {len(lesson.steps)}" in texts(app)
        assert step.title in texts(app)
        assert (link(app)["lesson"], int(link(app).get("step", 1))) == (name, number)
        assert vs.decode(link(app))[0] == lesson.state_at(number, vs.default_state())
        assert "lesson-return" not in {button.key for button in app.button}
        press(app, "lesson-next")
    assert here(app) == "lessons"
    assert "lesson" not in link(app)


def test_an_answer_is_told_whether_it_is_true_and_the_summary_keeps_it(open_page: OpenPage, fresh_store: object) -> None:
    lesson = lessons()["retraining"]
    app = open_page("compare", f"lesson=retraining&step={len(lesson.steps)}")
    question = lesson.steps[-1].question
    assert question is not None
    assert question.told not in texts(app)
    wrong = (question.right + 1) % len(question.answers)
    app.button(key=f"lesson-answer-{wrong}").click().run()
    assert f"**No**, you said: *{question.answers[wrong]}*. True is: *{question.answers[question.right]}*" in texts(app)
    assert question.told in texts(app)
    press(app, "lesson-next")
    assert f"0 of {len(lesson.steps)} questions answered as it is." in texts(app)
    assert f"You said: *{question.answers[wrong]}*" in texts(app)
    app.button(key="lesson-summary-close").click().run()
    assert "questions answered" not in texts(app)


def test_a_step_back_and_out(open_page: OpenPage, fresh_store: object) -> None:
    lesson = lessons()["retraining"]
    app = open_page("compare", "lesson=retraining&step=3&discovery=0.3&methods=finetune,retrain,oracle_retrain,rem")
    press(app, "lesson-back")
    assert link(app)["step"] == "2"
    assert link(app)["discovery"] == "1.0"
    press(app, "lesson-leave")
    assert here(app) == lesson.steps[1].page
    assert "lesson" not in link(app)
    assert link(app)["discovery"] == "1.0"


def test_whoever_strays_is_led_back(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("craft", "lesson=retraining&step=1")
    assert app.button(key="lesson-return").label == "Set the controls as in this step"  # the link had no settings
    press(app, "lesson-return")
    assert link(app)["discovery"] == "1.0"
    other = open_page("heatmap", "lesson=retraining&step=1&discovery=1")
    assert other.button(key="lesson-return").label == "Open this step in Craft"
    press(other, "lesson-return")
    assert here(other) == "craft"


def test_a_lesson_keeps_what_the_teacher_has_hidden_and_locked(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("craft", "lesson=kinds&step=1&regularity=0&hide=seed&lock=dataset,regularity")
    press(app, "lesson-next")
    assert (link(app)["hide"], link(app)["lock"]) == ("seed", "dataset,regularity")
    assert app.slider(key="control:regularity").disabled
    assert app.slider(key="control:regularity").value == 0.5
    assert not app.slider(key="control:discovery").disabled


def test_locked_parameters_are_shown_and_disabled(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("compare", "methods=finetune,rem&lock=parameters,methods&rem.epochs=7", methods_open=True)
    assert app.number_input(key="parameter:rem.epochs").disabled
    assert app.number_input(key="parameter:rem.epochs").value == 7
    assert app.multiselect(key="control:methods").disabled


def test_a_teacher_makes_a_link(open_page: OpenPage, fresh_store: object) -> None:
    app = open_page("lessons", "seed=3")
    app.selectbox(key="teach-page").set_value("craft").run()
    app.multiselect(key="teach-hide").set_value(["seed", "plane"]).run()
    app.multiselect(key="teach-lock").set_value(["regularity"]).run()
    made = app.code[-1].value
    assert "/craft?" in made
    state, notices = vs.decode(made.partition("?")[2])
    assert notices == []
    assert (state["seed"], state["hide"], state["lock"]) == (3, ("seed", "plane"), ("regularity",))
    assert "hide" not in link(app)
    app.selectbox(key="teach-lesson").set_value("plane").run()
    state, _ = vs.decode(app.code[-1].value.partition("?")[2])
    assert (state["lesson"], state["regularity"], state["hide"]) == ("plane", 0.5, ("seed", "plane"))


def test_every_hideable_part_has_words() -> None:
    assert all(vs.hideable_label(name) for name in vs.hideable())
    assert sorted(name for names in vs.hideable_by_page().values() for name in names) == sorted(vs.hideable())
    assert set(vs.lockable()) <= set(vs.hideable())
    assert not {"hide", "lock", "lesson", "step"} & set(vs.hideable())


def test_the_lesson_on_finding_has_its_pictures_on_a_fresh_install(
    open_page: OpenPage, fresh_store: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its task is that of the demo, whose embedding and search come with the code."""
    monkeypatch.delenv("UNLEARN_GALLERY")
    lesson = lessons()["find"]
    for number, name in ((2, "embedding"), (3, "suspect-curve"), (5, "suspect-curve")):
        assert lesson.steps[number - 1].panel == f"figure:{name}"
        query = vs.encode(lesson.state_at(number, vs.default_state()))
        app = open_page(lesson.steps[number - 1].page, query)
        assert name in figures(app)
        assert "run" not in {button.key for button in app.button if not button.disabled}


@pytest.mark.parametrize("name", ["redirect", "stop-sign", "real-noise"])
def test_every_step_has_its_picture_on_a_fresh_install(fresh_store: object, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One lesson on points, with their rounds, and two on signs; `python -m benchmarks run lesson_pictures` opens all."""
    monkeypatch.delenv("UNLEARN_GALLERY")
    monkeypatch.setattr(jobs, "run_button", jobs.run_button)  # what it notes there is put back afterwards
    steps = list(looked_at([name]))
    assert len(steps) == len(lessons()[name].steps)
    assert [step.number for step in steps if not step.there] == []
