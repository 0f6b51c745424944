"""Options that several commands share: a dataclass holds them, and a command takes it as one parameter."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Any, TypeGuard, get_args, get_origin, get_type_hints

Command = Callable[..., int]
KEYWORD = inspect.Parameter.KEYWORD_ONLY


@dataclass(frozen=True)
class After:
    """Put into an option's ``Annotated``: ``--help`` lists it behind that one, wherever its declaration stands."""

    name: str


def expand_groups(*, without: Collection[str] = ()) -> Callable[[Command], Command]:
    """Show typer a command in which each parameter that is a dataclass of options is these options, one by one.

    The command itself gets the dataclass. ``without``: options of the dataclasses that this command does not take; there they
    keep their defaults. Typer reads a command through :func:`inspect.signature`, so that is what is replaced.
    """

    def expand(command: Command) -> Command:
        parameters = inspect.signature(command, eval_str=True).parameters.values()
        groups = {p.name: p.annotation for p in parameters if _is_group(p.annotation)}
        options = {name: [o for o in _options_of(group) if o.name not in without] for name, group in groups.items()}
        shown = _in_order([o for p in parameters for o in options.get(p.name, [p.replace(kind=KEYWORD)])])

        @functools.wraps(command)
        def called(**given: Any) -> int:
            made = {name: groups[name](**{o.name: given.pop(o.name) for o in options[name]}) for name in groups}
            return command(**made, **given)

        called.__signature__ = inspect.Signature(shown, return_annotation=int)  # type: ignore[attr-defined]
        called.__annotations__ = {option.name: option.annotation for option in shown}
        return called

    return expand


def _is_group(annotation: object) -> TypeGuard[type[Any]]:
    return isinstance(annotation, type) and dataclasses.is_dataclass(annotation)


def _options_of(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(field.name, KEYWORD, default=field.default, annotation=hints[field.name])
        for field in dataclasses.fields(group)
    ]


def _in_order(options: list[inspect.Parameter]) -> list[inspect.Parameter]:
    """The same options, each that says so (:class:`After`) behind another one."""
    ordered = list(options)
    for option in options:
        before = next((mark.name for mark in _marks(option.annotation) if isinstance(mark, After)), None)
        if before is not None:
            ordered.remove(option)
            ordered.insert(1 + next(k for k, other in enumerate(ordered) if other.name == before), option)
    return ordered


def _marks(annotation: object) -> tuple[object, ...]:
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
