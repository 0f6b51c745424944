"""Tables of a sweep for docs/results.md: methods by task, other settings, and the methods that search."""

from __future__ import annotations

import pandas as pd

from unlearn_core.methods import registry as methods
from unlearn_core.results.tables import summary
from unlearn_core.specs import SweepSpec


def wide(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Mean of ``metric`` over seeds: one row per method, columns (regularity, discovery)."""
    table = summary(frame, metric)
    return table.pivot_table(index="method", columns=["regularity", "discovery"], values="mean", sort=False)


def markdown(frame: pd.DataFrame, metric: str, order: list[str]) -> list[str]:
    """The table with mean ± standard error, best non-oracle of each column in bold."""
    table = summary(frame, metric)
    tasks = sorted({(r, d) for r, d in zip(table["regularity"], table["discovery"], strict=True)})
    plain = {name for name in order if not methods.get(name).oracle}
    best = {
        task: table[(table.regularity == task[0]) & (table.discovery == task[1]) & table.method.isin(plain)]["mean"].max()
        for task in tasks
    }
    lines = ["| method | " + " | ".join(f"r {r:g}, {d:.0%}" for r, d in tasks) + " | worst |"]
    lines.append("|---" * (len(tasks) + 2) + "|")
    for name in order:
        rows = table[table.method == name].set_index(["regularity", "discovery"])
        cells = []
        for task in tasks:
            if task not in rows.index:
                cells.append("–")
                continue
            mean, error = rows.loc[task, "mean"], rows.loc[task, "standard_error"]
            text = f"{mean:.2f} ± {error:.2f}"
            cells.append(f"**{text}**" if name in plain and mean == best[task] else text)
        lines.append(f"| {methods.get(name).label} (`{name}`) | " + " | ".join(cells) + f" | {rows['mean'].min():.2f} |")
    return lines


def variants(frame: pd.DataFrame) -> list[str]:
    """Healed × utility of other settings than the presets: one row for each variant of a method."""
    table = summary(frame, "healed_x_utility")
    tasks = sorted({(r, d) for r, d in zip(table["regularity"], table["discovery"], strict=True)})
    lines = ["| method | " + " | ".join(f"r {r:g}, {d:.0%}" for r, d in tasks) + " |", "|---" * (len(tasks) + 1) + "|"]
    for (name, variant), rows in table.groupby(["method", "variant"], sort=False):
        means = rows.set_index(["regularity", "discovery"])
        cells = [
            f"{means.loc[t, 'mean']:.2f} ± {means.loc[t, 'standard_error']:.2f}" if t in means.index else "–" for t in tasks
        ]
        lines.append(f"| `{name}` with {variant} | " + " | ".join(cells) + " |")
    return lines


def searching(frame: pd.DataFrame, plan: SweepSpec) -> list[str]:
    """REM beside the methods that run it many times, and whether self-tuned REM is nowhere worse than REM."""
    lines = markdown(frame, "healed_x_utility", [name for name in ("rem", *plan.methods) if name in set(frame.method)])
    table = summary(frame, "healed_x_utility").set_index(["method", "regularity", "discovery"])
    if "rem_tuned" in table.index:
        rem, tuned = table.loc["rem"], table.loc["rem_tuned"]
        worse = [
            f"r {r:g}, {d:.0%}: {tuned.loc[(r, d), 'mean']:.2f} against {rem.loc[(r, d), 'mean']:.2f}"
            for r, d in tuned.index
            if tuned.loc[(r, d), "mean"]
            < rem.loc[(r, d), "mean"] - max(tuned.loc[(r, d), "standard_error"], rem.loc[(r, d), "standard_error"])
        ]
        told = f"more than a standard error below REM in {len(worse)} of {len(tuned)} cells"
        lines += ["", f"- `rem_tuned` is {told}{': ' + '; '.join(worse) if worse else ''}."]
    return lines
