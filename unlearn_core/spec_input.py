"""What the user typed: values in their one canonical form, and all that is wrong with a spec as one sentence."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable
from typing import Any, Self, SupportsIndex, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from unlearn_core.canonical import content_key
from unlearn_core.errors import UserError


class Spec(BaseModel):
    """Base of everything that describes a computation: immutable, no unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @property
    def key(self) -> str:
        """Content key of this spec (16 hex digits)."""
        return content_key(type(self).__name__, self)

    @classmethod
    def parse(cls, data: object) -> Self:
        """Validate plain data; raises :class:`UserError` with one sentence instead of pydantic's report."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise UserError(explain(error)) from None


def explain(error: ValidationError, prefix: str = "") -> str:
    """Every problem in a pydantic report as one sentence a person understands."""
    return "; ".join(_explain_one(dict(problem), prefix) for problem in error.errors(include_url=False)) + "."


def _explain_one(problem: dict[str, Any], prefix: str) -> str:
    path = [str(part) for part in problem["loc"] if not str(part).startswith(("function-", "constrained-", "int", "float"))]
    name = prefix + ".".join(path) if path else prefix.rstrip(".") or "the specification"
    given = problem.get("input")
    shown = "" if isinstance(given, dict | list) else f" (got {repr(given)[:120]})"
    limits = problem.get("ctx", {})
    kind = problem["type"]
    simple = {
        "extra_forbidden": f"{name} is not a known option",
        "missing": f"{name} is missing",
        "finite_number": f"{name} must be a finite number{shown}",
        "greater_than_equal": f"{name} must be at least {limits.get('ge')}{shown}",
        "greater_than": f"{name} must be more than {limits.get('gt')}{shown}",
        "less_than_equal": f"{name} must be at most {limits.get('le')}{shown}",
        "less_than": f"{name} must be less than {limits.get('lt')}{shown}",
        "literal_error": f"{name} must be one of {limits.get('expected')}{shown}",
        "string_too_long": f"{name} is longer than {limits.get('max_length')} characters",
        "value_error": f"{name}: {limits.get('error')}" if path else str(limits.get("error")),
    }
    if kind in simple:
        return simple[kind]
    if kind.startswith(("float", "int", "bool", "string")):
        noun = {"float": "a number", "int": "a whole number", "bool": "true or false", "string": "text"}[kind.split("_")[0]]
        return f"{name} must be {noun}{shown}"
    return f"{name}: {problem['msg'][0].lower()}{problem['msg'][1:]}{shown}"


def parse_amount(value: object) -> object:
    """Read '86' as a count and '0.06' as a fraction, wherever it was typed."""
    if isinstance(value, bool):
        raise ValueError(f"must be a count or a fraction (got {value!r})")
    if isinstance(value, str):
        try:
            value = float(value) if any(c in value.lower() for c in ".en") else int(value)
        except ValueError:
            raise ValueError(f"must be a count such as 86 or a fraction such as 0.06 (got {value!r})") from None
    if isinstance(value, float) and not 0 < value <= 0.5:
        raise ValueError(f"as a fraction must be above 0 and at most 0.5 (got {value:g}); write a whole number for a count")
    if isinstance(value, int) and value < 1:
        raise ValueError(f"as a count must be at least 1 (got {value})")
    return value


def parse_indices(value: object) -> tuple[int, ...] | None:
    """Whole numbers from 0 up, each once, in ascending order. Only the first mistake is named: there may be thousands."""
    if value is None:
        return None
    found = parse_checked(value)
    if not found:
        raise ValueError("an edited forget set needs at least one training example")
    return found


def parse_checked(value: object) -> tuple[int, ...]:
    """The same of a list that may be empty."""
    if isinstance(value, str | bytes | dict):
        raise ValueError("must be a list of training indices")
    try:
        found = sorted(_parse_index(item) for item in cast(Iterable[object], value))
    except TypeError:
        raise ValueError("must be a list of training indices") from None
    if found and found[0] < 0:
        raise ValueError(f"training examples are numbered from 0 (got {found[0]})")
    twice = next((one for one, other in itertools.pairwise(found) if one == other), None)
    if twice is not None:
        raise ValueError(f"training example {twice} is named twice")
    return tuple(found)


def _parse_index(item: object) -> int:
    try:
        if isinstance(item, bool):
            raise TypeError
        return operator.index(cast(SupportsIndex, item))
    except TypeError:
        raise ValueError(f"a training index must be a whole number (got {str(item)[:40]!r})") from None


def parse_relabelled(value: object) -> tuple[tuple[int, str], ...]:
    """Pairs of index and class name, ascending; also from a mapping."""
    pairs = value.items() if isinstance(value, dict) else cast(Iterable[tuple[object, object]], value)
    try:
        found = sorted((_parse_index(int(index) if isinstance(index, str) else index), str(name)) for index, name in pairs)
    except (TypeError, ValueError):
        raise ValueError("must be pairs of a training index and a class name") from None
    return tuple(found)
