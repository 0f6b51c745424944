"""One thing that a person can set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

State = dict[str, Any]
Kind = Literal["share", "amount", "int", "choice", "choices", "text"]
Choices = Callable[[State], tuple[str, ...]]


@dataclass(frozen=True)
class Control:
    """One thing a person can set. ``choices`` and ``high`` may need the registries, so they are asked for when needed."""

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
    return lambda _: names
