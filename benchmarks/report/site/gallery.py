"""What the committed gallery says of one method: means over seeds by cell, and its time beside retraining's."""

from __future__ import annotations

import functools
import json
from typing import Any

import pandas as pd

from benchmarks.paths import ROOT

FOLDER = ROOT / "assets" / "gallery"
CELL = ["regularity", "discovery"]
TASK = ["dataset", "model", "amount", "options", *CELL, "seed"]


@functools.cache
def rows() -> pd.DataFrame:
    """Every run on digits with their usual options; ``variant`` is "" for tuned values."""
    frame = pd.read_csv(FOLDER / "runs.csv", dtype={"variant": str, "options": str}).fillna({"variant": "", "options": ""})
    return frame[(frame.dataset == "digits") & (frame.options == "")]


@functools.cache
def provenance() -> dict[str, Any]:
    """When and on what the gallery was computed."""
    return dict(json.loads((FOLDER / "provenance.json").read_text(encoding="utf-8")))


def of_method(name: str, variant: str = "") -> pd.DataFrame:
    """The runs of one method with one set of values; no row where the gallery has none."""
    frame = rows()
    return frame[(frame.method == name) & (frame.variant == variant)]


def values(name: str, metric: str, regularity: float | None = None, discovery: float | None = None) -> list[float]:
    """A metric's means over seeds, one a cell, of the cells with this regularity and discovery rate (None: any)."""
    frame = of_method(name)
    for column, wanted in zip(CELL, (regularity, discovery), strict=True):
        frame = frame if wanted is None else frame[frame[column] == wanted]
    return [float(value) for value in frame.groupby(CELL)[metric].mean()]


def time_of_retraining(name: str) -> tuple[float, float] | None:
    """(median seconds, median ratio to retraining on the same task); None without runs of both."""
    both = of_method(name).merge(of_method("retrain")[[*TASK, "seconds"]], on=TASK, suffixes=("", "_retrain"))
    if both.empty:
        return None
    return float(both.seconds.median()), float((both.seconds / both.seconds_retrain).median())
