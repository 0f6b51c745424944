"""Words of docstrings and numbers as Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from unlearn_core.views.text.method_card import linked

_ROLE = re.compile(r":(?:class|func|meth|attr|data|mod):`~?\.?([^`]*)`")
_CODE = re.compile(r"(`[^`]*`)")
_SPECIAL = {ord("*"): r"\*", ord("_"): r"\_", ord("["): r"\[", ord("]"): r"\]", ord("<"): "&lt;", ord("|"): "&#124;"}


def prose(text: str) -> str:
    """A docstring's words as Markdown: code stays code, publications become links, and nothing else has a meaning."""
    pieces = _CODE.split(without_roles(text))
    return "".join(
        piece.replace("|", "&#124;") if k % 2 else linked(piece.translate(_SPECIAL)) for k, piece in enumerate(pieces)
    )


def without_roles(text: str) -> str:
    """A docstring with :class:`Name` as `Name`, and double backticks as single ones."""
    return _ROLE.sub(r"`\1`", text).replace("``", "`")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table, and the empty line after it."""
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows), ""]


def mean_and_error(values: Sequence[float], digits: int = 2) -> str:
    """The mean and, from two values on, its standard error, such as "0.93 ± 0.01"; "–" for no value."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return "–"
    mean = sum(known) / len(known)
    if len(known) == 1:
        return f"{mean:.{digits}f}"
    error = math.sqrt(sum((value - mean) ** 2 for value in known) / (len(known) - 1) / len(known))
    return f"{mean:.{digits}f} ± {error:.{digits}f}"


def title_and_name(label: str, name: str) -> str:
    """The heading of a page about a registered thing."""
    return f"# {label} (`{name}`)"
