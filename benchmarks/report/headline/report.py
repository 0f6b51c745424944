"""docs/headline.md: means with their standard errors, paired differences to REM, and what these support."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

import pandas as pd
from scipy import stats

from unlearn_core.methods import registry as methods

HEAD = """# Headline numbers

Healed × utility of every method, on seeds that nothing was developed or tuned on. *Tuned* values were found by the held-out-F
rule with the same budget for every method ([methods.md](methods.md)); rows with *[paper]* have their publication's, ablations
with *[REM’s values]* those found for REM beside their own. ± is the standard error over seeds; a difference to REM is taken
seed by seed, with its 95 % interval (Student's t). `benchmarks/plans/headline/` has the plans,
`benchmarks/results/headline/` every row; `python -m benchmarks report headline` writes this page from these rows. The plans ask
for twelve seeds on digits; how many there are by now stands below each table. Rows of a machine that was busy have no seconds.
"""
TITLES = {
    "digits": "Digits: 1,437 images of 8×8, 86 corrupted, a small convolutional network",
    "photos": "Photographs: 5,000 images of CIFAR-10 learned by heart, 300 corrupted, ResNet-9 at a quarter of its width",
}
NOTES = {
    "photos": "Values of NPO, Potion, REM, SalUn, SCRUB and SSD were searched with 2,000 images learned by heart, 12 of 120 "
    "known ([data](data.md)); those of fine-tuning, AMUN, DEL, EU-k and example-tied dropout are of an older, smaller search "
    "(1,000 images, an eighth of the width, 12 epochs without crops, 30 % known; [methods](methods.md)), so that their rows "
    "may be too low. Here 30 of 300 are known. What the plans ask for beyond these rows is not computed yet."
}
"""What has to be said below a title."""
REM, ORACLE = ("rem", ""), ("oracle_retrain", "")
ABLATION = "rem_no_redirect"
_PRODUCT = "healed_x_utility"
Who = tuple[str, str]


def page(tables: dict[str, pd.DataFrame]) -> str:
    """The whole page, from rows as :mod:`benchmarks.report.headline.rows` has them."""
    lines = [HEAD]
    for name, rows in tables.items():
        rows = rows.assign(**{_PRODUCT: rows["healed"] * rows["utility"]})
        told = [NOTES[name], ""] if name in NOTES else []
        lines += [f"## {TITLES[name]}", "", *told, *section(rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def section(rows: pd.DataFrame) -> list[str]:
    """Tables and sentences of one set of data."""
    lines = [*means(rows), ""]
    if not (of(rows, REM)).empty:
        lines += ["Difference to REM, seed by seed:", "", *differences(rows), "", *findings(rows), ""]
    return [*lines, *shares(rows), *learned(rows), *times(rows)]


def of(rows: pd.DataFrame, who: Who) -> pd.DataFrame:
    """The rows of one method with one set of values."""
    return rows[(rows["method"] == who[0]) & (rows["variant"] == who[1])]


def everyone(rows: pd.DataFrame) -> list[Who]:
    """Who has rows, best mean first, oracles last."""
    score = rows.groupby(["method", "variant"], sort=False)[_PRODUCT].mean()
    return sorted(score.index, key=lambda who: (methods.get(who[0]).oracle, -score[who]))


def label(who: Who) -> str:
    """A row's name."""
    name: str = methods.get(who[0]).label
    return name + (f" [{who[1]}]" if who[1] else "")


def cells(rows: pd.DataFrame) -> list[tuple[float, float]]:
    """The tasks of the table: regularity and discovery."""
    return sorted(set(zip(rows["regularity"], rows["discovery"], strict=True)))


def at(rows: pd.DataFrame, cell: tuple[float, float]) -> pd.Series[float]:
    """Healed × utility in one cell, by seed."""
    here = rows[(rows["regularity"] == cell[0]) & (rows["discovery"] == cell[1])]
    return here.set_index("seed")[_PRODUCT]


def means(rows: pd.DataFrame) -> list[str]:
    """Mean ± standard error of every row in every cell, and its worst cell."""
    tasks = cells(rows)
    lines = ["| method | " + " | ".join(f"r {r:g}, {d:.0%}" for r, d in tasks) + " | worst |", "|---" * (len(tasks) + 2) + "|"]
    for who in everyone(rows):
        found = [at(of(rows, who), task) for task in tasks]
        texts = ["–" if values.empty else f"{values.mean():.3f} ± {standard_error(values):.3f}" for values in found]
        worst = min(float(values.mean()) for values in found if len(values))
        lines.append(f"| {label(who)} | " + " | ".join(texts) + f" | {worst:.3f} |")
    mixed = [label(who) for who in everyone(rows) if of(rows, who)["spec"].nunique() > 1]
    counts = sorted({len(at(of(rows, who), task)) for who in everyone(rows) for task in tasks} - {0})
    told = [f"**Rows of different values of a method stand together here: {', '.join(mixed)}.**"] if mixed else []
    return [*lines, "", f"Seeds of a cell: {', '.join(map(str, counts))}.", *told]


def standard_error(values: pd.Series[float]) -> float:
    """Of the mean; pandas' own annotation allows for dates as well."""
    return cast(float, values.sem())


def interval(values: pd.Series[float]) -> tuple[float, float]:
    """Mean and half the width of its 95 % interval (Student's t); NaN for a single value."""
    half = stats.t.ppf(0.975, len(values) - 1) * standard_error(values) if len(values) > 1 else math.nan
    return float(values.mean()), float(half)


def paired(rows: pd.DataFrame, who: Who, other: Who, cell: tuple[float, float]) -> pd.Series[float]:
    """Differences of two rows in one cell, seed by seed."""
    return (at(of(rows, who), cell) - at(of(rows, other), cell)).dropna()


def differences(rows: pd.DataFrame) -> list[str]:
    """Everyone's difference to REM in every cell, with its interval."""
    tasks = cells(rows)
    lines = ["| method | " + " | ".join(f"r {r:g}, {d:.0%}" for r, d in tasks) + " |", "|---" * (len(tasks) + 1) + "|"]
    for who in everyone(rows):
        if who == REM:
            continue
        texts = []
        for task in tasks:
            gap = paired(rows, who, REM, task)
            middle, half = interval(gap) if len(gap) else (math.nan, math.nan)
            texts.append("–" if not len(gap) else f"{middle:+.3f}" + ("" if math.isnan(half) else f" ± {half:.3f}"))
        lines.append(f"| {label(who)} | " + " | ".join(texts) + " |")
    return lines


def shares(rows: pd.DataFrame) -> list[str]:
    """Everyone's share of what training without any corruption reaches, seed by seed: where that itself is far from 1, the
    product alone says little."""
    tasks = [task for task in cells(rows) if len(at(of(rows, ORACLE), task))]
    if not tasks:
        return []
    lines = ["| method | " + " | ".join(f"r {r:g}, {d:.0%}" for r, d in tasks) + " |", "|---" * (len(tasks) + 1) + "|"]
    for who in everyone(rows):
        if who == ORACLE:
            continue
        found = [(at(of(rows, who), task) / at(of(rows, ORACLE), task)).dropna() for task in tasks]
        texts = ["–" if values.empty else f"{values.mean():.3f} ± {standard_error(values):.3f}" for values in found]
        lines.append(f"| {label(who)} | " + " | ".join(texts) + " |")
    return ["As a share of what training without any corruption reaches:", "", *lines, ""]


def learned(rows: pd.DataFrame) -> list[str]:
    """How many of the wrong labels the originals had learned, in one sentence."""
    means = rows.groupby("regularity")["memorised"].mean().dropna()
    if means.empty:
        return []
    told = ", ".join(f"{share:.3f} at regularity {regularity:g}" for regularity, share in means.items())
    return [f"Wrong labels that the originals had learned by heart: {told}.", ""]


def findings(rows: pd.DataFrame) -> Iterator[str]:
    """What the differences support, in sentences."""
    tasks = cells(rows)
    for who in everyone(rows):
        if who == REM or methods.get(who[0]).oracle:
            continue
        gaps = {task: paired(rows, who, REM, task) for task in tasks}
        told = {task: gap for task, gap in gaps.items() if len(gap) > 1}
        ahead = [task for task, gap in told.items() if gap.mean() > 2 * standard_error(gap)]
        behind = [task for task, gap in told.items() if gap.mean() < -2 * standard_error(gap)]
        yield (
            f"- {label(who)}: behind REM by more than two standard errors of the paired difference in {len(behind)} of "
            f"{len(told)} cells, ahead in {len(ahead)}" + (f" ({_named(ahead)})" if ahead else "") + "."
        )
    yield from channels(rows)


def channels(rows: pd.DataFrame) -> Iterator[str]:
    """Whether the redirect channels make a difference, over all cells together."""
    rivals = [who for who in everyone(rows) if who[0] == ABLATION]
    for who in rivals:
        shared = [task for task in cells(rows) if len(paired(rows, REM, who, task)) > 1]
        if not shared:
            continue
        gap = pd.concat([paired(rows, REM, who, task) for task in shared], axis=1).mean(axis=1)
        middle, half = interval(gap)
        verdict = "no difference that these seeds show" if abs(middle) <= half else "more" if middle > 0 else "less"
        yield (
            f"- **The redirect channels** against {label(who)}, over {len(shared)} cells: {middle:+.3f} ± {half:.3f} "
            f"(95 % interval over {len(gap)} seeds): {verdict}."
        )


def _named(tasks: list[tuple[float, float]]) -> str:
    return "; ".join(f"r {r:g}, {d:.0%}" for r, d in tasks)


def times(rows: pd.DataFrame) -> list[str]:
    """Median seconds of one processor of every row, beside retraining's."""
    medians = {who: of(rows, who)["seconds"].median() for who in everyone(rows)}
    retraining = medians.get(("retrain", ""))
    named = [
        f"{label(who)} {seconds:.3g}" + (f" ({seconds / retraining:.2f})" if retraining else "")
        for who, seconds in sorted(medians.items(), key=lambda pair: pair[1])
        if not math.isnan(seconds)
    ]
    return ["Median seconds of a run, and in brackets as shares of retraining's: " + "; ".join(named) + "."] if named else []
