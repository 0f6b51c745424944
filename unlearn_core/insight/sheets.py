"""The method × task table as text, for papers and mails: mean ± standard error (number of seeds), plain or LaTeX."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unlearn_core.escaping import escape_latex, neutral_cell

if TYPE_CHECKING:
    import pandas as pd


def csv_text(table: pd.DataFrame, **options: Any) -> str:
    """A table as CSV without its index. Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay
    numbers. ``options``: of ``DataFrame.to_csv``."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    safe = table.copy()
    for place, kind in enumerate(table.dtypes):
        if not (is_numeric_dtype(kind) or is_bool_dtype(kind)):
            safe.isetitem(place, [neutral_cell(cell) for cell in table.iloc[:, place]])
    safe.columns = [neutral_cell(name) for name in table.columns]
    return str(safe.to_csv(index=False, **options))


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
    return escape_latex(text).replace("·", "$\\cdot$").replace("×", "$\\times$")


def marked(label: str, oracle: bool) -> str:
    """A method's label that tells an oracle from the others."""
    return f"{label} (oracle)" if oracle and "oracle" not in label.lower() else label
