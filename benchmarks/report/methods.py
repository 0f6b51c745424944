"""Write docs/methods.md: every method with its two sets of values side by side. Run it again when either has changed.

python -m benchmarks report methods
"""

from __future__ import annotations

import json
from typing import Any

from benchmarks.paths import DOCS
from benchmarks.report.sections import markdown_table
from unlearn_core.datasets import registry as datasets
from unlearn_core.methods import registry
from unlearn_core.presets import TUNED, values_of
from unlearn_core.views.table import as_text
from unlearn_core.views.text.method_card import linked, one_set

PAGE = DOCS / "methods.md"
HEAD = """# Methods and their values

Every method has two sets of values. *Tuned* ones were found for a kind of data by the held-out-F rule (`python -m
unlearn_core tune`, outcome in `unlearn_core/tuning/tuned/`), which reads given labels alone, or are the method's preset for
it. *Paper* ones are those of its publication, as far as they carry over to other data and networks. `--values paper`
takes the latter in `run`, `export` and `sweep`, whose plan may ask for both (`values: [tuned, paper]`); so does the
switch **Values** in Compare and Heatmap. Runs of the two sets have different keys and are rows of their own everywhere:
`REM` and `REM [paper]`. Where one of REM's ablations was tuned for itself, `--values rem` gives it the values found for REM
all the same (`[REM’s values]`), so that a difference is that of the idea alone.

Written by `python -m benchmarks report methods`. Shown are the parameters in which the sets differ on some kind of data;
`python -m unlearn_core methods --dataset NAME` lists all. Where training crops and flips photographs, REM's tuned
values are others.
"""
KINDS = {"digits": "digits", "points": "2-D data", "photos": "photographs"}


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *budgets(), *(line for method in ours() for line in section(method))])


def budgets() -> list[str]:
    """What each method's tuned values were searched with: a table, and whether it was the same for all."""
    found = {kind: json.loads((TUNED / f"{kind}.json").read_text())["methods"] for kind in KINDS}
    lines = ["## What the tuned values were searched with", ""]
    for kind, entries in found.items():
        said = {spent(entry) for entry in entries.values()}
        equal = (
            f"the same for all {len(entries)} methods"
            if len(said) == 1
            else f"{len(said)} budgets among {len(entries)} methods"
        )
        lines.append(f"- {KINDS[kind][0].upper()}{KINDS[kind][1:]}: {equal}.")
    head = ["method", *(f"{word}; score of the preset → of the values found" for word in KINDS.values())]
    rows = [
        [f"`{method.name}`", *(searched(entries[method.name]) if method.name in entries else "—" for entries in found.values())]
        for method in ours()
        if any(method.name in entries for entries in found.values())
    ]
    return [*lines, "", *markdown_table(head, rows)]


def searched(entry: dict[str, Any]) -> str:
    """A cell of that table."""
    return f"{spent(entry)}; {entry['preset_score']:.3f} → {entry['score']:.3f}"


def spent(entry: dict[str, Any]) -> str:
    """The budget of one search in words: configurations × cells × seeds, and the same of the finalists."""
    budget = entry.get("budget")
    if budget is None:  # from a search of before there was one budget for all
        return f"{entry['tried']} and the preset, {len(entry['seeds'])} seeds (an earlier search)"
    cells = len(budget["regularity"]) * len(budget["discovery"])
    first = f"{budget['configurations']} × {cells} × {len(budget['seeds'])}"
    return f"{first} + {budget['finalists']} × {cells} × {len(budget['more_seeds'])} = {budget['runs']} runs"


def ours() -> list[Any]:
    """The methods of this project, without those that other packages (or tests) have registered."""
    return [method for method in registry if method.__module__.startswith("unlearn_core.")]


def section(method: Any) -> list[str]:
    """One method: where its values come from, and a table."""
    lines = [f"## {method.label} (`{method.name}`)", "", f"{linked(method.paper)}. {note(method)}".strip(), ""]
    rows = table(method)
    return [*lines, *([*rows, ""] if rows else [one_set(method), ""])]


def note(method: Any) -> str:
    """What the class says of its values, on one line: that section of its docstring, or all of one without sections."""
    manual = method.manual()
    return str(manual.get("Values", "" if "Symbols" in manual else manual["Equation"])).replace("``", "`")


def table(method: Any) -> list[str]:
    """Lines of a table: parameter, tuned for each kind of data, paper; none where the sets agree everywhere."""
    names: dict[str, str] = {source.family: source.name for source in datasets if not source.own_values}
    tuned, paper = (
        [method.all_params(values_of(method.name, names[kind], values=values)) for kind in KINDS]
        for values in ("tuned", "paper")
    )
    fields = [name for name in method.Params.model_fields if [t[name] for t in tuned] != [p[name] for p in paper]]
    rows = [
        f"| `{name}` | {' | '.join(as_text(t[name]) for t in tuned)} | "
        f"{' / '.join(dict.fromkeys(as_text(p[name]) for p in paper))} |"
        for name in fields
    ]
    head = f"| parameter | {' | '.join(f'tuned, {word}' for word in KINDS.values())} | paper |"
    return [head, "|---" * (len(KINDS) + 2) + "|", *rows] if rows else []


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name} written")
