"""What a check is: a name, a function that raises :class:`Broken`, and the outcome for one component."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from unlearn_core.plugins import place_of

T = TypeVar("T")
Checks = Mapping[str, Callable[[T], None]]
"""What is checked, in words that follow the component's name → the function that checks it."""


class Broken(Exception):
    """A component does not keep its contract; ``str(error)`` says how, in one clause."""


@dataclass(frozen=True)
class Outcome:
    """One check of one component. ``message``: what went wrong, with the file and line of its code; "" where it passed."""

    component: str
    check: str
    message: str = ""

    @property
    def passed(self) -> bool:
        return not self.message

    def line(self) -> str:
        """As one line for people."""
        return f"{'ok  ' if self.passed else 'FAIL'}  {self.component}: {self.check}" + (
            f" - {self.message}" if self.message else ""
        )


def require(condition: bool, otherwise: str) -> None:
    """Raise :class:`Broken` with the sentence ``otherwise`` unless the condition holds."""
    if not condition:
        raise Broken(otherwise)


def apply(checks: Checks[T], component: str, case: T, where: str) -> Iterator[Outcome]:
    """Apply every check to one case. ``where``: file and line of the component, named where its code did not raise itself.

    An error that several checks run into is told once: they look at the same run.
    """
    told: set[str] = set()
    for name, check in checks.items():
        try:
            check(case)
        except Broken as error:
            yield Outcome(component, name, f"{error} ({where})")
        except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises is the outcome
            text = " ".join(f"{type(error).__name__}: {error}".split())
            message = f"{text} ({place_of(error) or where})"
            if message not in told:
                yield Outcome(component, name, message)
            told.add(message)
        else:
            yield Outcome(component, name)


def line_of(part: object) -> str:
    """File and line at which a component is defined, such as "mine.py, line 12"."""
    try:
        path = inspect.getsourcefile(part) or ""  # type: ignore[arg-type]
        return f"{Path(path).name}, line {inspect.getsourcelines(part)[1]}"  # type: ignore[arg-type]
    except (OSError, TypeError):
        return str(getattr(part, "__module__", "unknown place"))
