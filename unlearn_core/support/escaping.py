"""Text that others wrote (in a link, a file, a class name): shown as written, never obeyed."""

from __future__ import annotations

import re
from typing import Any

from unlearn_core.support.public_mode import is_public

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~$&]")
_FIRST = re.compile(r"^([-+=>#]|\d+(?=[.)]))")
# Streamlit's browser side makes links, icons and emoji of these even where they are escaped: a word joiner, which is not seen,
# keeps them text.
_ALIVE = re.compile(r"(?:https?|ftp|mailto):(?=[/\w])|www(?=\.)|(?<=[\w.+-])(?=@\w)|:(?=[\w+-][\w+/-]*[:\[\\])", re.IGNORECASE)
JOINER = "\u2060"
_PATH = re.compile(r"(?<![\w/.:~<>])(?:~|(?<![\w])[A-Za-z]:)?(?:[/\\][^\s/\\'\"<>:,;()]+)+[/\\](?P<name>[^\s/\\'\"<>:,;()]*)")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def escape_markdown(text: object) -> str:
    """``text`` for Streamlit's Markdown: no emphasis, link, picture, formula, colour, icon, list or line break comes of it.
    Where strangers use the app it names no path of the server either."""
    plain = without_paths(" ".join(str(text).split()))
    escaped = _MARKUP.sub(lambda found: "\\" + found[0], plain)
    escaped = _FIRST.sub(lambda found: f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}", escaped)
    return _ALIVE.sub(lambda found: found[0] + JOINER, escaped)


def without_paths(text: str) -> str:
    """``text`` in which, where strangers use the app, of every absolute path the last name is left."""
    return _PATH.sub(lambda found: found["name"] or "…", text) if is_public() else text


def neutral_cell(value: Any) -> Any:
    """A cell for a CSV file: text that a spreadsheet would take for a formula gets a leading apostrophe; numbers stay.

    Text that has apostrophes before such a letter gets one more, so that :func:`plain_cell` gives every text back.
    """
    formula = isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if formula else value


def plain_cell(text: str) -> str:
    """What :func:`neutral_cell` was given, from what is in the file."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def escape_latex(text: object) -> str:
    """``text`` with LaTeX's ten special characters as letters."""
    return "".join(_LATEX.get(letter, letter) for letter in str(text))
