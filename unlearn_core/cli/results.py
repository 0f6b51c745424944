"""``results``: the method × task table with mean ± standard error."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unlearn_core.cli._common import Device, DeviceOption, JsonOption, StoreOption, marked, print_json, say
from unlearn_core.store import Store

if TYPE_CHECKING:
    import pandas as pd


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    latex = "latex"
    html = "html"


def results(
    metric: Annotated[str, typer.Option(help="Which metric.")] = "healed_x_utility",
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.table,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    store: StoreOption = None,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
) -> int:
    """Show stored results: one row per method, one column per task, mean ± standard error (number of seeds)."""
    from unlearn_core.datasets import registry as datasets
    from unlearn_core.evaluation import registry as metrics
    from unlearn_core.insight import tables

    chosen = metrics.get(metric)
    if dataset is not None:
        datasets.get(dataset)
    long = tables.summary(tables.results(Store.open(store), chosen.name, dataset), chosen.name)
    if json or format is Format.json:
        print_json(long.assign(metric=chosen.name).to_dict("records"))
    elif format is Format.csv:
        long.assign(metric=chosen.name).to_csv(sys.stdout, index=False)
    elif long.empty:
        say("There are no results yet: `run` or `sweep` make some.")
    elif format is Format.table:
        _print(wide(long, "±"), f"{chosen.label}: mean ± standard error (number of seeds)")
    elif format is Format.latex:
        print(latex(wide(long, "$\\pm$")))
    else:
        print(wide(long, "±").to_html())
    return 0


def wide(long: pd.DataFrame, sign: str) -> pd.DataFrame:
    """Methods as rows, tasks as columns, mean ± standard error (n) in the cells; "–" where nothing is stored."""
    shown = long.assign(
        Method=[_method(row) for row in long.to_dict("records")],
        task=_tasks(long),
        cell=[_cell(row, sign) for row in long.to_dict("records")],
    )
    table = shown.pivot_table(index="Method", columns="task", values="cell", aggfunc="first", sort=False).fillna("–")
    return table.rename_axis(columns=None)


def latex(table: pd.DataFrame) -> str:
    """A LaTeX tabular; what would be markup in names is escaped."""
    lines = [f"\\begin{{tabular}}{{l{'c' * len(table.columns)}}}", "\\hline"]
    lines.append(" & ".join(["Method", *(_escape(str(name)) for name in table.columns)]) + " \\\\")
    lines.append("\\hline")
    lines += [" & ".join([_escape(str(name)), *row]) + " \\\\" for name, row in zip(table.index, table.values, strict=True)]
    return "\n".join([*lines, "\\hline", "\\end{tabular}"])


def _method(row: Mapping[Any, Any]) -> str:
    return marked(row["label"], row["oracle"]) + (f" [{row['variant']}]" if row["variant"] else "")


def _tasks(long: pd.DataFrame) -> list[str]:
    """A short name of each row's task: what is the same everywhere is left out, but for regularity and discovery."""
    varying = {name for name in ("dataset", "model", "amount", "options") if long[name].nunique() > 1}
    names = []
    for row in long.to_dict("records"):
        parts = [str(row[name]) for name in ("dataset", "model") if name in varying]
        parts += [f"amount {row['amount']:g}"] if "amount" in varying else []
        parts += [f"r {row['regularity']:g}", f"{row['discovery']:.0%}"]
        names.append(" · ".join(parts + ([row["options"]] if "options" in varying and row["options"] else [])))
    return names


def _cell(row: Mapping[Any, Any], sign: str) -> str:
    """One run has no standard error, and none is made up for it."""
    error = "" if math.isnan(row["standard_error"]) else f" {sign} {row['standard_error']:.3f}"
    return f"{row['mean']:.3f}{error} ({row['n']})"


def _escape(text: str) -> str:
    for plain, safe in (("\\", "\\textbackslash{}"), ("%", "\\%"), ("_", "\\_"), ("&", "\\&"), ("#", "\\#")):
        text = text.replace(plain, safe)
    return text.replace("·", "$\\cdot$").replace("×", "$\\times$")


def _print(table: pd.DataFrame, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table("Method", box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for name in table.columns:
        shown.add_column(name, justify="right")
    for name, row in zip(table.index, table.values, strict=True):
        shown.add_row(name, *row)
    Console().print(shown, markup=False)
