"""A state as a query string and back: short, only what differs from the defaults, and never an exception for a bad link."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from unlearn_core.support.visitor_files import in_link
from unlearn_core.view_state.controls import (
    BY_NAME,
    BY_QUERY,
    CONTROLS,
    DEMO_METHODS,
    MAX_METHODS,
    MIN_METHODS,
    Control,
    State,
    by_name,
    default_state,
)
from unlearn_core.view_state.controls.scenario import RecipeName
from unlearn_core.view_state.fields import as_number, quoted
from unlearn_core.view_state.permission import PATHS, Question, sift
from unlearn_core.view_state.settle import clamp_state
from unlearn_core.view_state.specs import as_text, with_defaults

Query = str | Mapping[str, str | list[str]]
MAX_QUERY: Final = 2000
MAX_TEXT: Final = 120
OLDER: Final = "The link names no training recipe. Photographs had one when it was made, the accurate one, which is used."
ASKED: Final = "The link names files or a download that a link does not get by itself; they are left out."


def encode(state: State) -> str:
    """The state as a query string without '?': only what differs from the defaults, always shorter than 2,000 characters."""
    items = []
    for control in CONTROLS:
        value: Any = _two_recipes(state) if control.name == "recipe" else by_name(state)[control.name]
        if value != control.default:
            items.append((control.query_name, ",".join(value) if control.kind == "choices" else as_text(value)))
    items += [(name, as_text(value)) for name, value in sorted(state["overrides"].items())]
    items = [(name, in_link(text) if name in PATHS else text) for name, text in items]
    items.sort(key=lambda item: item[0] == "marked")  # what is only looked at is the first to be left out
    while len(query := urlencode(items, safe=",.:")) >= MAX_QUERY:
        items.pop()
    return query


def decode(query: Query) -> tuple[State, list[str]]:
    """The state of a link, and one sentence for everything in it that had to be changed. Never raises for bad input.

    Nothing outside of the allowed folders is looked at, and nothing is downloaded (:mod:`.permission`).
    """
    state, notices, asked = decode_asking(query)
    return state, [*notices, *([ASKED] if asked else [])]


def decode_asking(
    query: Query,
    opened: Collection[str] = (),
    also: Iterable[Path] = (),
    closed: bool = False,
    handed_over: Path | None = None,
) -> tuple[State, list[str], Question]:
    """The same for a page, which can ask: the state without what the third part of the answer asks for.

    ``opened``: paths that you typed or agreed to in this session; ``also``: more folders to open without asking; ``closed``:
    the link opens no file at all, but for those in ``handed_over`` that strangers handed over.
    """
    state = default_state()
    pairs, asked = sift(_pairs(query), opened, also, closed, handed_over)
    if not pairs:  # the most frequent link of all needs no registries, and so no torch
        return state, [], asked
    notices: list[str] = []
    unknown: list[str] = []
    for name, raw in pairs:
        control = BY_QUERY.get(name)
        if control is not None:
            by_name(state)[control.name] = _read(control, raw, notices)
        elif "." in name:
            state["overrides"][name] = raw
        else:
            unknown.append(quoted(name))
    if unknown:
        notices.append(
            f"The link has unknown settings, which are ignored: {', '.join(unknown[:5])}{' …' if unknown[5:] else ''}."
        )
    if "recipe" not in {name for name, _ in pairs} and (older := _older(state)) is not None:
        state["recipe"] = older
        notices.append(OLDER)
    state, more = clamp_state(state)
    return state, notices + more, asked


def _two_recipes(state: State) -> RecipeName | None:
    """The recipe, where the data have two; a link always names it, so that one without a name is known to be older."""
    return with_defaults(state)["recipe"] if state["dataset"] != BY_NAME["dataset"].default else None


def _older(state: State) -> RecipeName | None:
    """The recipe of a link that names none: there was one then, for corruption that is made as well."""
    # Of photographs alone: this dataset came later, and of one's own the files may still have to be asked for.
    here = state["dataset"] != "photographs" and ("dataset.data" in state["overrides"] or state["dataset"] != "images")
    return "accurate" if here and _two_recipes(state) == "memorising" else None


def _pairs(query: Query) -> list[tuple[str, str]]:
    if isinstance(query, str):
        return parse_qsl(query.removeprefix("?")[: 4 * MAX_QUERY], keep_blank_values=True, errors="replace")
    return [(str(k), str(v[-1] if isinstance(v, list) else v)[:MAX_QUERY]) for k, v in query.items() if v != []]


def _read(control: Control, raw: str, notices: list[str]) -> Any:
    """One value from a link, clamped to limits that hold for every dataset (:func:`.clamp_state` knows the rest)."""
    if control.kind == "choices":
        return _read_choices(control, raw, notices)
    if control.kind == "choice":
        allowed = control.choices() if control.choices else ()
        if raw in allowed:
            return raw
        notices.append(f"{control.label} cannot be {quoted(raw)}, so the default is used; known: {', '.join(allowed)}.")
        return control.default
    if control.kind == "text":
        return raw[: max(MAX_TEXT, int(control.high))]
    number = as_number(raw)
    if number is None:
        notices.append(f"{control.label} must be a number, not {quoted(raw)}, so the default is used.")
        return control.default
    value = _clamp_amount(number, raw) if control.kind == "amount" else _clamp_number(control, number)
    if not math.isclose(value, number, rel_tol=1e-9, abs_tol=5e-5 if control.kind in ("share", "amount") else 0):
        notices.append(f"{control.label} cannot be {number:g}; the nearest possible value, {value:g}, is used.")
    return value


def _read_choices(control: Control, raw: str, notices: list[str]) -> tuple[str, ...]:
    allowed = control.choices() if control.choices else ()
    asked = list(dict.fromkeys(part.strip() for part in raw.split(",") if part.strip()))
    chosen = [name for name in asked if name in allowed]
    if len(chosen) < len(asked):
        strange = ", ".join(quoted(name) for name in asked if name not in allowed)
        notices.append(f"{control.label}: unknown and left out: {strange[:200]}.")
    if control.name == "methods" and not MIN_METHODS <= len(chosen) <= MAX_METHODS:
        notices.append(f"Between {MIN_METHODS} and {MAX_METHODS} methods can be compared; the link names {len(chosen)}.")
        chosen = (chosen + [name for name in DEMO_METHODS if name not in chosen])[
            : max(MIN_METHODS, min(len(chosen), MAX_METHODS))
        ]
    elif 1 < control.high < len(chosen):
        notices.append(f"{control.label}: at most {control.high:g}; the first {control.high:g} of {len(chosen)} are shown.")
        chosen = chosen[: int(control.high)]
    return tuple(chosen)


def _clamp_number(control: Control, number: float) -> float | int:
    clamped = min(max(number, control.low), _high(control))
    if control.kind == "int":
        return round(clamped)
    # A share that is not zero stays so: clamp_state() then finds the smallest one that means something.
    return max(round(clamped, 4), 1e-4 if clamped > 0 else 0.0)


def _high(control: Control) -> float:
    # How many classes there are is the dataset's to say; anything that you could mean passes here.
    return 10_000 if control.name in ("class_a", "class_b", "target_class") else control.high


def _clamp_amount(number: float, raw: Any) -> float | int:
    if isinstance(raw, int) or (isinstance(raw, str) and raw.strip().lstrip("+-").isdigit()):
        return max(1, int(number))
    return round(min(max(number, 1e-4), 0.5), 4)
