"""Write the tables of docs/results.md by what methods know, and what their papers claim, from all rows that are committed.

    python -m benchmarks report knowing

Rows come from the gallery (``assets/gallery/runs.csv``), from ``benchmarks/results/knowing/*.csv`` (what ``--collect`` took
of a store) and from ``benchmarks/results/headline/``; a method has those of the first that has it.

    python -m unlearn_core sweep PLAN.yaml --store STORE
    python -m benchmarks report knowing --collect NAME --dataset digits --store STORE
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import pandas as pd

from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.headline.rows import read
from benchmarks.report.sections import write_section
from benchmarks.report.site import gallery
from benchmarks.report.site.beside_papers import here, published
from benchmarks.report.site.text import mean_and_error, prose, table
from unlearn_core.methods import registry
from unlearn_core.results.tables import results
from unlearn_core.store import Store

PAGE = DOCS / "results.md"
START, END = "<!-- what methods know -->\n", "<!-- end of what methods know -->"
FOLDER, HEADLINE = RESULTS / "knowing", RESULTS / "headline"
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Nothing beside the data", ()),
    ("F", ("F",)),
    ("F · given labels", ("F", "given labels")),
    ("F · right labels", ("F", "right labels")),
    ("F · given labels · right labels", ("F", "given labels", "right labels")),
    ("Trusted examples, or a stand-in that nobody checked", ("trusted",)),
    ("Truth: upper bounds", ("truth",)),
)
"""Title → what :meth:`Method.knows` says; all that know the truth are in the last."""
METRICS = {
    "healed_x_utility": "healed × utility",
    "healed": "healed",
    "healed_undiscovered": "healed, undiscovered",
    "utility": "utility",
}
FIRST = next(iter(METRICS))
"""In whose tables it is said what is not measured."""
DATA = {"digits": "Handwritten digits", "photos": "Photographs, learned by heart"}
SHOWN = ((0.0, 0.5, 1.0), (0.1, 0.5, 1.0))
"""Regularities and discovery rates of the tables on digits; on photographs all that there are."""
COLUMNS = ["method", "variant", "regularity", "discovery", "seed", "healed", "healed_undiscovered", "utility", "spec", "key"]
Cell = tuple[float, float]


def group_of(name: str) -> str:
    """The title of the group that a method belongs to."""
    knows = registry.get(name).knows()
    titles = {told: title for title, told in GROUPS}
    return titles[("truth",)] if "truth" in knows else titles[knows]


def rows_of(data: str) -> pd.DataFrame:
    """Committed rows with tuned values: columns method, regularity, discovery, seed and :data:`METRICS`."""
    parts = [gallery.rows()] if data == "digits" else []
    parts += [pd.read_csv(path, dtype={"key": str, "spec": str}) for path in sorted(FOLDER.glob(f"{data}*.csv"))]
    parts.append(read(HEADLINE / f"{data}.csv"))
    taken, known = list[pd.DataFrame](), set[str]()
    for part in (part.fillna({"variant": ""}) for part in parts if len(part)):
        part = part[(part["variant"] == "") & part["method"].isin(registry.names()) & ~part["method"].isin(known)]
        known |= set(part["method"])
        taken.append(part.reindex(columns=COLUMNS))
    found = pd.concat(taken, ignore_index=True) if taken else pd.DataFrame(columns=COLUMNS)
    found = found.assign(healed_x_utility=found["healed"].astype(float) * found["utility"].astype(float))
    if data == "digits":
        found = found[found["regularity"].isin(SHOWN[0]) & found["discovery"].isin(SHOWN[1])]
    return found


def metric_tables(rows: pd.DataFrame, metric: str) -> list[str]:
    """One table a group, with the best of every column in bold; methods without rows are named."""
    cells = sorted({*zip(rows["regularity"], rows["discovery"], strict=True)})
    if metric == "healed_undiscovered":
        cells = [cell for cell in cells if cell[1] < 1]
    lines = list[str]()
    for title, _ in GROUPS:
        names = [name for name in registry.names() if group_of(name) == title and _is_ours(name)]
        there = [name for name in names if (rows["method"] == name).any()]
        if there or metric == FIRST:
            lines += [f"**{title}**", ""]
        if there:
            head = ["method", *(f"r {r:g}, {d:.0%}" for r, d in cells), "worst", "seeds"]
            lines += table(head, _lines(rows, metric, there, cells))
        if metric == FIRST and (lacking := [f"`{name}`" for name in names if name not in there]):
            lines += [f"Not measured: {', '.join(lacking)}.", ""]
    return lines


def _lines(rows: pd.DataFrame, metric: str, names: Sequence[str], cells: Sequence[Cell]) -> list[list[str]]:
    values = {name: _values(rows[rows["method"] == name], metric, cells) for name in names}
    means = {name: [_mean(cell) for cell in found] for name, found in values.items()}
    rivals = [name for name in names if not registry.get(name).oracle]
    columns = [[value for name in rivals if (value := means[name][k]) is not None] for k in range(len(cells))]
    best = [max(column, default=None) for column in columns]
    lines = []
    for name in names:
        texts = []
        for k, found in enumerate(values[name]):
            text = mean_and_error(found)
            texts.append(f"**{text}**" if len(rivals) > 1 and name in rivals and found and means[name][k] == best[k] else text)
        known = [value for value in means[name] if value is not None]
        seeds = rows[rows["method"] == name]["seed"].nunique()
        lines.append([f"{registry.get(name).label} (`{name}`)", *texts, f"{min(known):.2f}" if known else "–", str(seeds)])
    return lines


def _values(rows: pd.DataFrame, metric: str, cells: Sequence[Cell]) -> list[list[float]]:
    by_cell = rows.groupby(["regularity", "discovery"])[metric]
    groups = {cell: part.dropna().astype(float).tolist() for cell, part in by_cell}
    return [groups.get(cell, []) for cell in cells]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _is_ours(name: str) -> bool:
    return registry.get(name).__module__.startswith("unlearn_core.")


def paper_claims() -> list[str]:
    """What publications report of the methods of each group, and what is measured here."""
    lines = [
        "## What their papers claim",
        "",
        "As far as a number was at hand; data, networks and formulas differ: see [Why our numbers differ](why-different.md).",
        "",
    ]
    for title, _ in GROUPS:
        rows = [
            (f"`{name}`", prose(entry["what"]), str(entry["published"]), here(name, entry.get("here")))
            for name in registry.names()
            if group_of(name) == title
            for entry in published().get(name, [])
        ]
        if rows:
            lines += [f"**{title}**", "", *table(("method", "what", "published", "here"), rows)]
    return lines


def section() -> list[str]:
    """All of it."""
    lines = [
        "Methods are told different things, and are rivals where they are told the same: every table is cut by that, and bold "
        "is the best of its part. Where right labels are given, what was known is fitted directly; look at *undiscovered* "
        "there. Mean ± standard error over seeds, tuned values; rows are those of the gallery, else of `benchmarks/results/` "
        "(`python -m benchmarks report knowing`). r is the regularity, the percentage the discovery rate.",
        "",
    ]
    for data, title in DATA.items():
        rows = rows_of(data)
        if len(rows):
            for metric, words in METRICS.items():
                lines += [f"## {title}: {words}", "", *metric_tables(rows, metric)]
    return [*lines, *paper_claims()]


def collect(name: str, dataset: str, store: str | None) -> int:
    """Put a store's runs on a dataset into ``benchmarks/results/knowing/NAME.csv``; returns how many."""
    frame = results(Store.open(store), None, dataset)
    kept = frame[frame["variant"] == ""].reindex(columns=COLUMNS)
    FOLDER.mkdir(exist_ok=True)
    kept.to_csv(FOLDER / f"{name}.csv", index=False, float_format="%.6g")
    return len(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collect", metavar="NAME", help="first take a store's rows; NAME begins with digits or photos")
    parser.add_argument("--dataset", default="digits", help="whose rows these are")
    parser.add_argument("--store", help="folder or address of the swept results")
    options: Any = parser.parse_args()
    if options.collect:
        if not options.collect.startswith(tuple(DATA)):
            parser.error(f"NAME begins with one of {', '.join(DATA)} (got {options.collect!r})")
        print(f"{collect(options.collect, options.dataset, options.store)} rows collected")
    write_section(PAGE, START, section(), END)
