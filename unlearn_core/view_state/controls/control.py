"""One thing that you can set: its words, limits and default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["share", "amount", "int", "choice", "choices", "text"]
Choices = Callable[[], tuple[str, ...]]


@dataclass(frozen=True)
class Control:
    """One thing that you can set. ``choices`` may need the registries, which take a second to import: it is called when needed.

    ``default`` has the type of the field of the same name in ``State``.
    """

    name: str
    label: str
    help: str
    kind: Kind
    default: Any
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    url: str = ""
    choices: Choices | None = None
    scenario: bool = True  # part of the scenario, or only of the page

    @property
    def query_name(self) -> str:
        return self.url or self.name


def fixed(names: tuple[str, ...]) -> Choices:
    """Choices that depend on nothing."""
    return lambda: names
