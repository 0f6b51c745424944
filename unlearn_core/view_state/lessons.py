"""Lessons: short Markdown files whose steps set the controls and name the page they happen on.

A file starts with "# Title" and one paragraph that says what one will know afterwards. Every step is "## Title", a line
"page: compare", optional lines "set: regularity=0.5&discovery=0.3" (as in a link), "panel: figure:plane" (what to look at) and
"minutes: 2", an empty line, and a text. After it may come paragraphs that start with "Question:", followed by answers, a line
each ("+ " before the true one, "- " before others), with "Answer:", which is shown once one is chosen, and with "Lecturer:".
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from unlearn_core.errors import UserError
from unlearn_core.view_state.controls import BY_QUERY, State, by_name, with_changes
from unlearn_core.view_state.lesson_files import find_lessons
from unlearn_core.view_state.lesson_steps import Step, read_step
from unlearn_core.view_state.links import decode

MAX_STEPS: Final = 6
KEPT: Final = ("hide", "lock")
"""What a teacher's link has set stays through a lesson."""


@dataclass(frozen=True)
class Lesson:
    """``name`` is the file's name without its ending; the link carries it."""

    name: str
    title: str
    summary: str
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> int:
        """In a lecture, about."""
        return round(sum(step.minutes for step in self.steps))

    def state_at(self, number: int, current: State) -> State:
        """The state of step ``number`` (from 1): what this step and those before it set, everything else at its default."""
        pairs = {key: value for step in self.steps[:number] for key, value in step.settings}
        state, kept = _decoded(urlencode(pairs)), by_name(current)
        own = {name: kept[name] for name in KEPT} | {"overrides": dict(state["overrides"])}
        return with_changes(state, own) | {"lesson": self.name, "step": number}

    def differs(self, number: int, current: State) -> bool:
        """Whether a control that this step needs has another value now."""
        pairs = {key: value for step in self.steps[:number] for key, value in step.settings}
        wanted, now = by_name(self.state_at(number, current)), by_name(current)
        names = {"overrides" if "." in key else BY_QUERY[key].name for key in pairs}
        return any(wanted[name] != now[name] for name in names)


@functools.lru_cache(maxsize=256)
def _decoded(query: str) -> State:
    """The view of a step's settings, which every page of a lesson asks for, and every student's."""
    return decode(query)[0]


@functools.cache
def lessons() -> dict[str, Lesson]:
    """Every lesson by name, in the order of their file names' numbers."""
    return {name: parse(name, path.read_text(encoding="utf-8")) for name, path in find_lessons().items()}


def parse(name: str, text: str) -> Lesson:
    """A lesson from its Markdown; raises :class:`UserError` with a sentence for what is wrong with it."""
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    match = re.fullmatch(r"# (?P<title>[^\n]+)\n+(?P<summary>.+?)\s*", head, flags=re.DOTALL)
    if match is None:
        raise UserError(f"The lesson {name!r} must start with “# Title” and one paragraph.")
    if not 1 <= len(parts) <= MAX_STEPS:
        raise UserError(f"The lesson {name!r} must have between 1 and {MAX_STEPS} steps (it has {len(parts)}).")
    summary = " ".join(match["summary"].split())
    return Lesson(name, match["title"].strip(), summary, tuple(read_step(name, part) for part in parts))
