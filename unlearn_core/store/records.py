"""What the store gives back, and plain JSON in and out. No database in here."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Json = dict[str, Any]
"""A JSON object as it is stored: what is in it differs by kind of record."""


class MissingArtifact(LookupError):
    """The arrays of a record are missing or damaged (its record is then dropped, so it is computed again when asked)."""


@dataclass(frozen=True)
class Record:
    """One stored result. ``size``: bytes of its files; ``arrays``: names of its array groups."""

    key: str
    kind: str
    spec: Json
    payload: Json
    environment: Json
    created: dt.datetime
    size: int
    arrays: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """Why the last attempt at a key failed: one sentence, and the traceback."""

    key: str
    kind: str
    message: str
    detail: str
    created: dt.datetime


def utc(seconds: float) -> dt.datetime:
    """A time from the database."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def dump(value: object) -> str:
    """JSON text that is the same for equal data."""
    return json.dumps(plain(value), sort_keys=True, allow_nan=False)


def plain(value: Any) -> Any:
    """JSON data: numpy numbers become Python's, NaN and infinity become null."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def clean(text: str) -> str:
    """Text that every database takes: a message may quote what is no valid Unicode, or hold a zero byte."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def reason(error: BaseException) -> str:
    """The first line of a low-level error, without its final stop."""
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
