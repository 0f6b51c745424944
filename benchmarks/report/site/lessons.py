"""A page for each lesson: what a lecturer says at each step, what is asked, how long it takes."""

from __future__ import annotations

from benchmarks.report.site.text import table
from unlearn_core.view_state import default_state, encode
from unlearn_core.view_state.lessons import Lesson, lessons

FOLDER = "lessons"
HEAD = """# Lessons, for the lecturer

Each lesson is on the page **Learn** of the app; *Notes* there shows the same, and prints it. Minutes are a guess for a lecture
in which the class answers before you go on.
"""


def pages() -> dict[str, str]:
    """Path in the docs → Markdown, for the list and for every lesson."""
    known = lessons()
    rows = [(f"[{one.title}]({name}.md)", str(one.minutes), str(len(one.steps)), one.summary) for name, one in known.items()]
    index = "\n".join([HEAD, *table(("lesson", "minutes", "steps", "about"), rows)])
    return {f"{FOLDER}/index.md": index} | {f"{FOLDER}/{name}.md": page(one) for name, one in known.items()}


def page(lesson: Lesson) -> str:
    """One lesson."""
    lines = [f"# {lesson.title}", "", f"{lesson.summary} About {lesson.minutes} minutes.", ""]
    for number, step in enumerate(lesson.steps, 1):
        link = encode(lesson.state_at(number, default_state()))
        lines += [f"## {number}. {step.title}", "", step.text, ""]
        lines += [f"**To say** ({step.minutes:g} min): {step.notes}", ""] if step.notes else []
        if step.question is not None:
            lines += [f"**{step.question.asked}**", ""]
            lines += [f"- {answer}{' ✓' if k == step.question.right else ''}" for k, answer in enumerate(step.question.answers)]
            lines += ["", step.question.told, ""]
        lines += [f"Link: `/{step.page}?{link}`", ""]
    return "\n".join(lines)
