"""Text that others wrote (a link, a file, a class) in Markdown, LaTeX and spreadsheets: shown as it is written, never obeyed."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:@&/=^])")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def escape_markdown(text: object) -> str:
    """``text`` for Streamlit's Markdown: no emphasis, link, picture, formula, colour, icon or line break comes out of it."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def escape_latex(text: object) -> str:
    """``text`` with LaTeX's ten special characters as letters."""
    return "".join(_LATEX.get(letter, letter) for letter in str(text))
