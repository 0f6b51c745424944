"""A lesson on paper: for a student what was asked and what it showed, for a lecturer what to say and how long it takes."""

from __future__ import annotations

import html
from collections.abc import Mapping

from markdown_it import MarkdownIt

from unlearn_core.view_state.lesson_steps import Question, Step
from unlearn_core.view_state.lessons import Lesson

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.45 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 0 0 .25rem; }
section { border-top: 1px solid #8886; padding: .75rem 0; break-inside: avoid; }
p, ul { margin: .25rem 0 .5rem; }
.notes, .told { border-left: 3px solid #8886; padding-left: .75rem; }
small { color: color-mix(in srgb, CanvasText 70%, Canvas); }
"""
_markdown = MarkdownIt("commonmark", {"html": False})


def sheet(lesson: Lesson, answers: Mapping[int, int] | None = None, notes: bool = False) -> str:
    """One self-contained HTML page.

    ``answers``: step → number of the answer that was chosen, pointed out; ``notes``: with minutes and words for the lecturer.
    """
    said = answers or {}
    steps = "\n".join(_step(number, step, said.get(number), notes) for number, step in enumerate(lesson.steps, 1))
    minutes = f"<p><small>About {lesson.minutes} minutes</small></p>" if notes else ""
    title = html.escape(lesson.title)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{title} – Eunoe</title>\n<style>{_STYLE}</style>\n<h1>{title}</h1>\n"
        f"{_markdown.render(lesson.summary)}{minutes}\n{steps}\n</html>\n"
    )


def _step(number: int, step: Step, answer: int | None, notes: bool) -> str:
    minutes = f" <small>{step.minutes:g} min</small>" if notes else ""
    parts = [f"<h2>{number}. {html.escape(step.title)}{minutes}</h2>", _markdown.render(step.text)]
    if notes and step.notes:
        parts.append(f'<div class="notes">{_markdown.render(step.notes)}</div>')
    if step.question is not None:
        parts.append(_question(step.question, answer))
    return f"<section>\n{''.join(parts)}</section>"


def _question(question: Question, answer: int | None) -> str:
    def line(number: int, text: str) -> str:
        true = " <b>✓</b>" if number == question.right else ""
        mine = " <small>(your answer)</small>" if number == answer else ""
        return f"<li>{_markdown.renderInline(text)}{true}{mine}</li>"

    answers = "".join(line(number, text) for number, text in enumerate(question.answers))
    return (
        f"<p><b>{_markdown.renderInline(question.asked)}</b></p><ul>{answers}</ul>"
        f'<div class="told">{_markdown.render(question.told)}</div>'
    )
