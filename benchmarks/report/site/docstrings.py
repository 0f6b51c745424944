"""The house's docstrings as the API page's parser reads them: roles as plain code, and doctests as examples."""

from __future__ import annotations

import re
from typing import Any

import griffe

from benchmarks.report.site.text import without_roles


def readable(text: str) -> str:
    """A docstring without roles, and with "Example:" as the section it is."""
    return re.sub(r"^Example:$", "Examples:", without_roles(text), flags=re.MULTILINE)


class HouseStyle(griffe.Extension):  # type: ignore[misc, unused-ignore]  # only the docs need griffe
    """Called for every object that is documented, before its docstring is parsed."""

    def on_object(self, *, obj: Any, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = readable(obj.docstring.value)
