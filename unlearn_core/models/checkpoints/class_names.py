"""The class names that a checkpoint carries, however they were written, compared with those of the data."""

from __future__ import annotations

import ast
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

KEYS = ("classes", "class_names", "labels", "label_names", "categories", "id2label", "idx_to_class", "class_to_idx", "label2id")
"""Under what names training scripts keep them."""


def read_classes(value: object) -> tuple[str, ...] | None:
    """Names in order, from a list, a dictionary of name and number in either direction, or either as text (JSON, as Python
    prints it, or separated by commas or lines); None for anything else."""
    if isinstance(value, str):
        return read_classes(_parse_text(value))
    if isinstance(value, Mapping):
        return _sort_by_number(value)
    if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str | int) for name in value):
        return None
    return tuple(str(name) for name in value)


def _parse_text(text: str) -> Any:
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list | tuple | dict):
            return found
    parts = [part.strip() for part in (text.splitlines() if "\n" in text.strip() else text.split(","))]
    return [part for part in parts if part] if len(parts) > 1 else None


def _sort_by_number(pairs: Mapping[Any, Any]) -> tuple[str, ...] | None:
    """{"ant": 0} or {0: "ant"} or {"0": "ant"}, numbered from 0 without a gap."""
    by_number: dict[int, str] = {}
    for key, value in pairs.items():
        number, name = (value, key) if isinstance(value, int) else (key, value)
        if isinstance(number, str) and number.isdecimal() and len(number) < 8:
            number = int(number)
        if not isinstance(number, int) or not isinstance(name, str):
            return None
        by_number[number] = name
    return (
        tuple(by_number[k] for k in range(len(by_number))) if by_number and set(by_number) == set(range(len(pairs))) else None
    )


def compare_classes(given: Sequence[str], here: Sequence[str]) -> str:
    """What keeps the names of a checkpoint from being those of the data, to follow "The checkpoint …"; "" for nothing."""
    theirs, ours = ([unicodedata.normalize("NFC", name).strip() for name in names] for names in (given, here))
    if theirs == ours:
        return ""
    if sorted(theirs) == sorted(ours):
        k = next(k for k, (one, other) in enumerate(zip(theirs, ours, strict=True)) if one != other)
        return (
            f"names the same classes in another order: its class {k} is {theirs[k][:60]!r}, that of the data {ours[k][:60]!r}; "
            "give the data the checkpoint's order (folders are taken by name)"
        )
    unknown, missing = [name for name in theirs if name not in ours], [name for name in ours if name not in theirs]
    said = [
        f"{names[0][:60]!r} is no class {where}" for names, where in ((unknown, "of the data"), (missing, "of it")) if names
    ]
    return f"names other classes than the data: {', and '.join(said) or 'one is named twice'}"
