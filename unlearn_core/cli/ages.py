"""How long ago, as people type it: 30d, 12h, 2w, 1y, or a day such as 2026-11-01."""

from __future__ import annotations

import datetime as dt
import re
import time

from unlearn_core.errors import UserError

_UNITS = {"min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0, "y": 365 * 86_400.0}
_MOST = 1000 * 365 * 86_400.0


def parse_age(text: str, option: str) -> float:
    """Seconds; raises ``UserError`` for anything of another form."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*(min|h|d|w|y)", text.strip().lower())
    seconds = float(found[1]) * _UNITS[found[2]] if found else _MOST + 1
    if seconds > _MOST:
        raise UserError(f"{option} needs an age such as 12h, 30d, 8w or 1y (got {text!r}).")
    return seconds


def parse_moment(text: str, option: str) -> float:
    """Seconds since 1970 of a day, of a moment as in ISO 8601 (local time, if it names no zone), or so long ago."""
    try:
        return dt.datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return time.time() - parse_age(text, option)
    except UserError:
        raise UserError(f"{option} needs a day such as 2026-11-01, or an age such as 30d (got {text!r}).") from None


def size_text(size: float) -> str:
    """Bytes for people, in powers of 1024."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TB"
