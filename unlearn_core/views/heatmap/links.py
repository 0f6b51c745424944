"""Cells of the heatmap as a link names them."""

from __future__ import annotations

import pandas as pd

from unlearn_core.corruption import is_kind
from unlearn_core.errors import UserError
from unlearn_core.methods import registry as methods
from unlearn_core.presets import make_method
from unlearn_core.results import tables
from unlearn_core.results.settings import read_variant
from unlearn_core.specs import Scenario
from unlearn_core.views.heatmap.data import who
from unlearn_core.views.heatmap.tasks import Cell


def cell_text(method: str, variant: str, task: Cell) -> str:
    """A cell as a link has it, such as "rem,0.5,0.3", "rem,0.5,0.3,epochs=5" or, of a kind, "rem,warp:1,0.3"."""
    place, rate = (repr(float(dial)).removesuffix(".0") for dial in task[:2])  # read back to the same bit
    return ",".join([method, f"{task.kind}:{place}" if task.kind else place, rate, *([variant] if variant else [])])


def cell_of(text: str) -> tuple[str, str, Cell] | None:
    """Method, variant and task of :func:`cell_text`; None for what is none."""
    method, *rest = [part.strip() for part in text.split(",", 3)]
    try:
        kind, _, place = rest[0].rpartition(":")
        task = Cell(float(place), float(rest[1]), kind)
    except (IndexError, ValueError):
        return None
    known = (method == tables.ORIGINAL or method in methods) and (not kind or is_kind(kind))
    return (method, rest[2] if len(rest) > 2 else "", task) if known and all(0 <= dial <= 1 for dial in task[:2]) else None


def cell_today(cell: tuple[str, str, Cell], scenario: Scenario, runs: pd.DataFrame) -> tuple[str, str, Cell]:
    """The same cell with the words that its run has today: a variant is named after what is usual, and that may have changed
    since a link was made. What cannot be read stays as it is."""
    method, variant, task = cell
    if method not in methods or (method, variant) in set(runs[["method", "variant"]].itertuples(index=False, name=None)):
        return cell
    values, changed = read_variant(variant)
    try:
        spec = make_method(method, scenario, changed, values)
    except UserError:
        return cell
    return method, who([spec], scenario, runs)[0][1], task


def overrides_of(method: str, variant: str) -> dict[str, str]:
    """The parameters that make a variant, as a link has them: "epochs=5" of rem is {"rem.epochs": "5"}."""
    return {f"{method}.{name}": value for name, value in read_variant(variant)[1].items()}
