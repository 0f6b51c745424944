"""Rows of results: picking some, and their mean with its standard error."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
"""One run as the results keep it: column to value."""


def mean(rows: Sequence[Row], key: str) -> tuple[float, float]:
    """Mean and standard error of a column, without what is missing."""
    values = [float(row[key]) for row in rows if row.get(key) is not None]
    if not values:
        return float("nan"), float("nan")
    return statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")


def pick(rows: Sequence[Row], **fields: Any) -> list[Row]:
    """The rows whose columns have these values."""
    return [row for row in rows if all(row[key] == value for key, value in fields.items())]
