"""The house's docstrings as the API page's parser reads them: roles as plain code, and doctests as examples."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|attr|data|mod):`~?\.?([^`]*)`")


def readable(text: str) -> str:
    """A docstring with :class:`Name` as `Name`, double backticks as single ones, and "Example:" as the section it is."""
    plain = _ROLE.sub(r"`\1`", text).replace("``", "`")
    return re.sub(r"^Example:$", "Examples:", plain, flags=re.MULTILINE)


class HouseStyle(griffe.Extension):
    """Called for every object that is documented, before its docstring is parsed."""

    def on_object(self, *, obj: Any, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = readable(obj.docstring.value)
