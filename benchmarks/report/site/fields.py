"""Fields of parameter and spec models as rows: key, what it takes, default, meaning."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from benchmarks.report.site.text import prose
from unlearn_core.views.table import as_text

HEAD = ("key", "takes", "default", "meaning")
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def rows(model: type[BaseModel], prefix: str = "") -> list[tuple[str, str, str, str]]:
    """One row a field that holds a plain value; ``prefix`` stands before every key."""
    return [
        (f"`{prefix}{name}`", takes(field), default(field), prose(field.description or "").replace("\n", " "))
        for name, field in model.model_fields.items()
        if not is_part(field)
    ]


def is_part(field: FieldInfo) -> bool:
    """Whether a field holds a model of its own, which has a section of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def takes(field: FieldInfo) -> str:
    """Type and limits in words, such as "a number, 0 to 1" or "`sgd` or `adam`"."""
    kind = field.annotation
    parts = (kind,) if get_origin(kind) is Literal else get_args(kind) or (kind,)
    return " or ".join(_word(one) for one in parts if one is not type(None)) + limits(field.metadata)


def _word(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(kind))
    return WORDS.get(kind, "text")


def limits(metadata: list[Any]) -> str:
    """Limits after a comma, such as ", 0 to 1" or ", above 0, at most 10"; empty without any."""
    low: Any = next((one.ge for one in metadata if isinstance(one, Ge)), None)
    high: Any = next((one.le for one in metadata if isinstance(one, Le)), None)
    above: Any = next((one.gt for one in metadata if isinstance(one, Gt)), None)
    below: Any = next((one.lt for one in metadata if isinstance(one, Lt)), None)
    if low is not None and high is not None:
        return f", {plain(low)} to {plain(high)}"
    words = {"at least": low, "above": above, "at most": high, "below": below}
    return "".join(f", {word} {plain(value)}" for word, value in words.items() if value is not None)


def default(field: FieldInfo) -> str:
    """What a field has where nothing is said; "–" where the data's preset says it."""
    value = field.default
    if value is PydanticUndefined:
        return "–"
    return plain(value) if isinstance(value, int | float) and not isinstance(value, bool) else as_text(value) or "nothing"


def plain(value: float) -> str:
    """A number as it is written in a spec, thousands separated."""
    return f"{value:,}" if isinstance(value, int) or value >= 1e5 else f"{value:g}"
