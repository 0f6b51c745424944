"""Typed parameters read from a JSON schema: what a widget, a link and a copied command need to know about one of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, SupportsFloat, cast

from unlearn_core.specs import Scalar

MAX_TEXT = 400
"""Characters of a text parameter: a path may be long, a link must stay a link."""

Kind = Literal["int", "float", "bool", "choice", "text"]


@dataclass(frozen=True)
class ParamField:
    """One parameter of a dataset, network, recipe or method.

    ``low`` and ``high`` are None where there is no limit; ``open_low`` and ``open_high`` say that the limit is excluded.
    """

    name: str
    label: str
    kind: Kind
    default: Scalar
    help: str
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()

    def limits(self) -> str:
        """The limits in words, such as 'a number above 0, at most 1'."""
        if self.kind == "bool":
            return "true or false"
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        if self.kind == "text":
            return "text"
        parts = ["a whole number" if self.kind == "int" else "a number"]
        if self.low is not None:
            parts.append(f"{'above' if self.open_low else 'at least'} {self.low:g}")
        if self.high is not None:
            parts.append(f"{'below' if self.open_high else 'at most'} {self.high:g}")
        return parts[0] + (" " + ", ".join(parts[1:]) if parts[1:] else "")

    def bounds(self) -> tuple[float | None, float | None, float]:
        """Lowest value, highest value and step of a number widget, all of the parameter's own type."""
        kind = int if self.kind == "int" else float
        low, high = (None if limit is None else kind(limit) for limit in (self.low, self.high))
        size = abs(self.default) if isinstance(self.default, int | float) and self.default else 1.0
        # One in the leading digit of the default: 0.02 steps by 0.01, 256 by 1 because counts are counted.
        return low, high, 1 if self.kind == "int" else 10.0 ** math.floor(math.log10(size))

    def clamp(self, raw: object) -> tuple[Scalar, bool]:
        """The nearest valid value to ``raw`` (text from a link, or a plain value) and whether ``raw`` was valid as it stood."""
        if self.kind == "bool":
            return self._clamp_bool(raw)
        if self.kind == "choice":
            return (str(raw), True) if str(raw) in self.choices else (self.default, False)
        if self.kind == "text":
            return str(raw)[:MAX_TEXT], len(str(raw)) <= MAX_TEXT
        return self._clamp_number(raw)

    def _clamp_bool(self, raw: object) -> tuple[Scalar, bool]:
        known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        value = known.get(str(raw).strip().lower())
        return (self.default, False) if value is None else (value, True)

    def _clamp_number(self, raw: object) -> tuple[Scalar, bool]:
        number = as_number(raw)
        if number is None:
            return self.default, False
        value: float = round(number) if self.kind == "int" else float(f"{number:.6g}")
        fine = self.kind == "float" or value == number
        if self.low is not None and (value < self.low or (self.open_low and value <= self.low)):
            value, fine = self.low + self._nudge(self.low, self.open_low), False
        if self.high is not None and (value > self.high or (self.open_high and value >= self.high)):
            value, fine = self.high - self._nudge(self.high, self.open_high), False
        return (int(value) if self.kind == "int" else float(f"{value:.6g}")), fine

    def _nudge(self, limit: float, is_open: bool) -> float:
        """An excluded limit has no nearest value; a ten-thousandth of the way to the default is as good as any."""
        if not is_open:
            return 0.0
        default = self.default if isinstance(self.default, int | float) else limit + 1
        return 1.0 if self.kind == "int" else 1e-4 * (abs(default - limit) or 1.0)


def as_number(raw: object) -> float | None:
    """``raw`` as a finite number, or None."""
    if isinstance(raw, bool) or raw is None:
        return None
    try:
        number = float(cast(SupportsFloat, raw))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def param_fields(schema: Mapping[str, Any], defaults: Mapping[str, Scalar] | None = None) -> list[ParamField]:
    """The parameters of a pydantic model's JSON schema, in order; ``defaults`` replaces the schema's own."""
    found = []
    for name, entry in schema.get("properties", {}).items():
        if entry.get("filled_in"):  # by the part itself, from its other parameters
            continue
        default = (defaults or {}).get(name, entry.get("default"))
        kind, choices = _kind(entry)
        found.append(
            ParamField(
                name=name,
                label=entry.get("label", name.replace("_", " ").capitalize()),
                kind=kind,
                default=default,
                help=entry.get("description", ""),
                low=entry.get("minimum", entry.get("exclusiveMinimum")),
                high=entry.get("maximum", entry.get("exclusiveMaximum")),
                open_low="exclusiveMinimum" in entry,
                open_high="exclusiveMaximum" in entry,
                choices=choices,
            )
        )
    return found


def _kind(entry: Mapping[str, Any]) -> tuple[Kind, tuple[str, ...]]:
    if "enum" in entry:
        return "choice", tuple(str(value) for value in entry["enum"])
    kinds: dict[str, Kind] = {"integer": "int", "number": "float", "boolean": "bool"}
    return kinds.get(str(entry.get("type")), "text"), ()


def quoted(text: str) -> str:
    """``text`` in quotes, short enough for a sentence."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
