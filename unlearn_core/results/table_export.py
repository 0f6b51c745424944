"""The method × task table as text, for papers and mails: mean ± standard error (number of seeds), plain or LaTeX."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from unlearn_core.support.escaping import escape_latex, neutral_cell

if TYPE_CHECKING:
    import pandas as pd

SETTING: Final = "Setting"


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
    """Methods as rows, the two dials as columns, mean ± standard error (n) in the cells; "–" where nothing is stored.

    Where there are several settings each has rows of its own, and a column says what differs between them.
    """
    import pandas as pd

    settings = _settings(long)
    cells: dict[tuple[str, str], dict[tuple[float | None, float | None], str]] = {}
    for row in long.to_dict("records"):
        line = cells.setdefault((row["setting"] + row["options"], _method(row)), {})
        line[_dials(row)] = _cell(row, sign)
    tasks = list(dict.fromkeys(_dials(row) for row in long.to_dict("records")))
    columns = {name: [line.get(task, "–") for line in cells.values()] for task, name in zip(tasks, _names(tasks), strict=True)}
    named = {SETTING: [settings[setting] for setting, _ in cells]} if len(settings) > 1 else {}
    return pd.DataFrame(named | columns, index=pd.Index([method for _, method in cells], name="Method"))


def latex(table: pd.DataFrame) -> str:
    """A LaTeX tabular; what would be markup in names is escaped."""
    kinds = ["l" if name == SETTING else "c" for name in table.columns]
    lines = [f"\\begin{{tabular}}{{l{''.join(kinds)}}}", "\\hline"]
    lines.append(" & ".join(["Method", *(_escape(str(name)) for name in table.columns)]) + " \\\\")
    lines.append("\\hline")
    for name, row in zip(table.index, table.values, strict=True):
        texts = [_escape(text) if kind == "l" else text for kind, text in zip(kinds, row, strict=True)]
        lines.append(" & ".join([_escape(str(name)), *texts]) + " \\\\")
    return "\n".join([*lines, "\\hline", "\\end{tabular}"])


def _method(row: Mapping[Any, Any]) -> str:
    return marked(row["label"], row["oracle"]) + (f" [{row['variant']}]" if row["variant"] else "")


def _settings(long: pd.DataFrame) -> dict[str, str]:
    """What differs between the settings, by key and options: no part that all of them share."""
    rows = long.drop_duplicates(["setting", "options"]).to_dict("records")
    parts = []
    for row in rows:
        amount = "labels as found" if math.isnan(row["amount"]) else f"amount {row['amount']:g}"
        parts.append([row["dataset"], row["model"], amount, *filter(None, str(row["options"]).split(", "))])
    shared = set.intersection(*map(set, parts)) if parts else set()
    return {
        row["setting"] + row["options"]: ", ".join(part for part in told if part not in shared) or "as usual"
        for row, told in zip(rows, parts, strict=True)
    }


def _dials(row: Mapping[Any, Any]) -> tuple[float | None, float | None]:
    regularity, discovery = (None if math.isnan(row[name]) else float(row[name]) for name in ("regularity", "discovery"))
    return regularity, discovery


def _names(tasks: Sequence[tuple[float | None, float | None]]) -> list[str]:
    """A short name for each task, no two the same: as many digits as it takes."""
    for digits in (0, 1, 2, 4, 15):
        names = [
            f"{'as found' if regularity is None else f'r {regularity:g}'} · "
            f"{'listed' if discovery is None else f'{discovery:.{digits}%}'}"
            for regularity, discovery in tasks
        ]
        if len(set(names)) == len(names):
            return names
    return [f"r {regularity!r} · {discovery!r}" for regularity, discovery in tasks]


def _cell(row: Mapping[Any, Any], sign: str) -> str:
    """One run has no standard error, and none is made up for it."""
    error = "" if math.isnan(row["standard_error"]) else f" {sign} {row['standard_error']:.3f}"
    return f"{row['mean']:.3f}{error} ({row['n']})"


def _escape(text: str) -> str:
    return escape_latex(text).replace("·", "$\\cdot$").replace("×", "$\\times$")


def marked(label: str, oracle: bool) -> str:
    """A method's label that tells an oracle from the others."""
    return f"{label} (oracle)" if oracle and "oracle" not in label.lower() else label
