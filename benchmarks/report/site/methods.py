"""A page for each method: its manual, its values, what it costs, where it fails on the map, and what its paper reports."""

from __future__ import annotations

import html
import inspect
import statistics
from typing import Any

from benchmarks.report.methods import ours
from benchmarks.report.methods import table as value_table
from benchmarks.report.site import beside_papers, fields, gallery
from benchmarks.report.site.text import mean_and_error, prose, table, title_and_name
from unlearn_core.views.text.method_card import aim, method_card, one_set

FOLDER = "methods"
VARIANTS = {"": "tuned values", "paper": "the paper's values"}


def pages() -> dict[str, str]:
    """Path in the docs → Markdown, for the list and for every method of this project."""
    return {f"{FOLDER}/index.md": overview()} | {f"{FOLDER}/{method.name}.md": page(method) for method in ours()}


def overview() -> str:
    """All methods in one table."""
    rows = []
    for method in ours():
        score, spent = gallery.values(method.name, "healed_x_utility"), gallery.time_of_retraining(method.name)
        mean = "–" if not score else f"{statistics.fmean(score):.2f}"
        worst = "–" if not score else f"{min(score):.2f}"
        cost = "–" if spent is None else f"{spent[1]:.2f}"
        mark = " (oracle)" if method.oracle else ""
        knows = " · ".join(method.knows()) or "nothing"
        rows.append((f"[{method.label}]({method.name}.md){mark}", method.family, knows, mean, worst, cost))
    head = ("method", "family", "knows", "healed × utility, mean", "worst cell", "time of retraining")
    return "\n".join(
        [
            "# All methods",
            "",
            f"Digits, {cells_in_words()}, tuned values. Oracles know the ground truth and are upper bounds on purpose.",
            "*Knows* is what a method is told beside the original and the data that are left, F for the forget set: rivals are "
            "those that know the same.",
            "",
            *table(head, rows),
            measured(),
            "",
        ]
    )


def page(method: Any) -> str:
    """One method."""
    manual = method.manual()
    lines = [title_and_name(method.label, method.name), "", prose(method.summary), ""]
    if "Symbols" in manual:
        lines += [f'<p class="equation">{html.escape(equation(method))}</p>', ""]
    lines += [f"**{name}.** {prose(manual[name])}\n" for name in ("Symbols", "Given", "Fails", "Source") if name in manual]
    command = f"eunoe run --dataset digits --methods {method.name}" + person(method)
    lines += ["## In short", "", *facts(method), "```sh", command, "```", ""]
    lines += ["## On the map", "", *on_the_map(method)]
    lines += ["## Cost", "", cost(method), ""]
    lines += ["## Published, and here", "", *beside_papers.section(method.name)]
    lines += ["## Parameters", "", *parameters(method, manual.get("Values", ""))]
    return "\n".join(lines)


def person(method: Any) -> str:
    """What a command has to say so that a simulated person gives what the method needs."""
    told = {" --set person.typed=1": method.needs_right_labels, " --set person.checked=100": method.needs_trusted}
    return "".join(words for words, needed in told.items() if needed)


def equation(method: Any) -> str:
    """What stands above the first section of a method's docstring: indented lines as they are, others joined."""
    parts = inspect.cleandoc(vars(method)["__doc__"]).partition("\nSymbols: ")[0].replace("``", "").strip().split("\n\n")
    return "\n".join("\n".join(line.strip() for line in part.splitlines()) if part.startswith(" ") else " ".join(part.split())
                     for part in parts)  # fmt: skip


def facts(method: Any) -> list[str]:
    """What it is given and what it is for."""
    card = method_card(method.name, "digits")
    region = method.designed_for
    rows = [("family", method.family), ("publication", card.paper), ("is given", ", ".join(card.needs))]
    if card.without:
        rows.append(("does without", ", ".join(card.without)))
    rows.append(("made for", aim(region.regularity, region.discovery)))
    rows.append(("knows the ground truth", "yes: an upper bound on purpose" if method.oracle else "no"))
    return table(("", ""), rows)


def on_the_map(method: Any) -> list[str]:
    """Healed × utility by regularity and discovery rate, for each set of values that the gallery has."""
    lines: list[str] = []
    for variant, words in VARIANTS.items():
        frame = gallery.of_method(method.name, variant)
        if frame.empty:
            continue
        by_cell: dict[Any, list[float]] = frame.groupby(gallery.CELL)["healed_x_utility"].apply(list).to_dict()
        rates = sorted(frame.discovery.unique())
        rows = [
            (f"**{r:g}**", *(mean_and_error(by_cell.get((r, rate), [])) for rate in rates))
            for r in sorted(frame.regularity.unique())
        ]
        worst = min((statistics.fmean(found), *cell) for cell, found in by_cell.items())
        lines += [
            f"Healed × utility on digits with {words}, by regularity (rows) and discovery rate, mean ± standard error:",
            "",
        ]
        lines += table(("regularity", *(f"{rate:.0%} known" for rate in rates)), rows)
        lines += [f"At its worst at regularity {worst[1]:g} with {worst[2]:.0%} known: {worst[0]:.2f}.", ""]
    return [*lines, measured(), ""] if lines else ["The gallery has no run of it.", ""]


def cost(method: Any) -> str:
    """Its seconds beside retraining's, as a sentence."""
    spent = gallery.time_of_retraining(method.name)
    if spent is None:
        return "The gallery has no run to take a time from."
    seconds, ratio = spent
    return (
        f"Median over the map: {seconds:.1f} s, {ratio:.2f} times what retraining takes on the same task (digits; other work "
        "may have shared the machine, so rather believe the ratio). [Performance](../performance.md) has times measured alone."
    )


def parameters(method: Any, origin: str) -> list[str]:
    """Every parameter with its limits, then the sets of values where they differ."""
    found = fields.rows(method.Params, f"{method.name}.")
    if not found:
        return ["It has none.", ""]
    lines = [*table(fields.HEAD, found), "### Tuned and published values", "", *([prose(origin), ""] if origin else [])]
    return [*lines, *(value_table(method) or [one_set(method)]), ""]


def cells_in_words() -> str:
    """How much the gallery holds, such as "15 cells of the map, 3 seeds"."""
    frame = gallery.rows()
    return f"{len(frame[gallery.CELL].drop_duplicates())} cells of the map, {frame.seed.nunique()} seeds"


def measured() -> str:
    """Where the gallery's numbers come from, as a sentence."""
    found = gallery.provenance()
    return f"From the gallery: {found['date']}, {found['machine']}, torch {found['versions']['torch']}."
