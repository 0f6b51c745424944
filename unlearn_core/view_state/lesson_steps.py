"""One step of a lesson, read from its part of the file: settings, a text, a question to click, a word to the lecturer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from unlearn_core.errors import UserError

HEAD: Final = ("page", "set", "panel", "minutes")
ASKED, TOLD, NOTES = "Question:", "Answer:", "Lecturer:"
MOST_ANSWERS: Final = 4


@dataclass(frozen=True)
class Question:
    """What is asked before a step tells it. ``right``: the number of the answer that is true; ``told``: why."""

    asked: str
    answers: tuple[str, ...]
    right: int
    told: str


@dataclass(frozen=True)
class Step:
    """One step: ``page`` is the file's name in pages/ without its ending, ``settings`` pairs as in a link.

    ``panel``: key of the element to look at, such as "figure:plane"; "" for the whole page. ``minutes``: in a lecture.
    ``notes``: for the lecturer. Texts are Markdown.
    """

    title: str
    page: str
    settings: tuple[tuple[str, str], ...]
    text: str
    panel: str = ""
    minutes: float = 1.0
    question: Question | None = None
    notes: str = ""


def read_step(lesson: str, part: str) -> Step:
    """A step from what follows its "## "; raises :class:`UserError` with a sentence for what is wrong with it."""
    title, _, rest = part.partition("\n")
    head, _, body = rest.strip().partition("\n\n")
    settings = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    title, where = title.strip(), f"The step {title.strip()!r} of the lesson {lesson!r}"
    paragraphs = [paragraph.strip() for paragraph in re.split(r"\n{2,}", body) if paragraph.strip()]
    told = {mark: _after(mark, paragraphs) for mark in (ASKED, TOLD, NOTES)}
    text = "\n\n".join(p for p in paragraphs if not p.startswith((ASKED, TOLD, NOTES)))
    if set(settings) - set(HEAD) or "page" not in settings or not text:
        raise UserError(f"{where} needs “page: …”, perhaps “set: …”, “panel: …”, “minutes: …”, and a text.")
    minutes = settings.get("minutes", "1")
    if not re.fullmatch(r"\d+(\.\d+)?", minutes):
        raise UserError(f"{where} takes a number of minutes, not {minutes!r}.")
    if bool(told[ASKED]) != bool(told[TOLD]):
        raise UserError(f"{where} needs a “{ASKED}” and an “{TOLD}”, or neither.")
    return Step(
        title,
        settings["page"].strip(),
        tuple(parse_qsl(settings.get("set", ""), keep_blank_values=True)),
        text,
        settings.get("panel", "").strip(),
        float(minutes),
        _question(where, told[ASKED], told[TOLD]) if told[ASKED] else None,
        told[NOTES],
    )


def _after(mark: str, paragraphs: list[str]) -> str:
    return "\n\n".join(p.removeprefix(mark).strip() for p in paragraphs if p.startswith(mark))


def _question(where: str, asked: str, told: str) -> Question:
    words, *lines = asked.splitlines()
    answers = [line[2:].strip() for line in lines if line[:2] in ("- ", "+ ")]
    right = [number for number, line in enumerate(lines) if line.startswith("+ ")]
    if len(answers) != len(lines) or not 2 <= len(answers) <= MOST_ANSWERS or len(right) != 1:
        raise UserError(
            f"{where} needs two to {MOST_ANSWERS} answers, a line each: “+ ” before the true one, “- ” before others."
        )
    return Question(words.strip(), tuple(answers), right[0], told)
