"""The comparison as a table: shares in percent, the best of each column marked with a star, references told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd
from pandas.io.formats.style import Styler

from unlearn_core.results.harm import costs_utility
from unlearn_core.results.memorised import nothing_to_heal, sentence, share_in
from unlearn_core.views.compare.figure import styles_of
from unlearn_core.views.picture import short_labels

if TYPE_CHECKING:
    from unlearn_core.evaluation import Metric


KNOWS, RIGHT = "Knows", "right labels"
"""The column that says what a method is told, and the words in it for right labels."""


class Described(Protocol):
    """A metric, as the registry describes it."""

    label: str
    direction: str
    unit: str


def best(frame: pd.DataFrame, metrics: Mapping[str, Any]) -> dict[str, set[str]]:
    """Metric → the methods that are best in it; neither the original nor oracles compete, nor runs that cost utility, and none
    where the original took nothing up that could be healed."""
    if nothing_to_heal(share_in(frame)):
        return {}
    rivals = frame[(frame["method"] != "original") & ~frame["oracle"].astype(bool) & ~costs_utility(frame)]
    found: dict[str, set[str]] = {}
    for name, metric in metrics.items():
        values = rivals[name].astype(float) if name in rivals else pd.Series(dtype=float)
        if metric.direction not in ("higher", "lower") or values.notna().sum() < 2:
            continue
        if values.max() == values.min():  # a tie of all is no method's merit
            continue
        top = values.max() if metric.direction == "higher" else values.min()
        found[name] = set(rivals.loc[values == top, "method"])
    return found


def comparison_table(frame: pd.DataFrame, metrics: Mapping[str, Any]) -> Styler:
    """A styled table with one row per model; columns without any value are left out."""
    shown = {name: metric for name, metric in metrics.items() if name in frame and frame[name].notna().any()}
    stars = best(frame, shown)
    styles = styles_of(frame)
    table = pd.DataFrame(
        {"Model": [f"{styles[m].sign} {label}" for m, label in zip(frame["method"], short_labels(frame["label"]), strict=True)]}
    )
    if "state" in frame:
        table["State"] = frame["state"].to_numpy()
    if "knows" in frame:
        table[KNOWS] = frame["knows"].to_numpy()
    for name, metric in shown.items():
        table[metric.label] = frame[name].astype(float).to_numpy()
    styler = table.style
    for name, metric in shown.items():
        for row, method in enumerate(frame["method"]):
            star = method in stars.get(name, set())
            styler.format(_number(metric.unit, star), subset=(row, metric.label), na_rep="–")
            if star:
                styler.set_properties(subset=(row, metric.label), **{"font-weight": "700"})
    return styler


def plain_table(frame: pd.DataFrame, metrics: Mapping[str, Any]) -> pd.DataFrame:
    """The same as text, for papers: models as rows, units in the columns' names, "–" where there is no value."""
    shown = {name: metric for name, metric in metrics.items() if name in frame and frame[name].notna().any()}
    names = [short + (" (oracle)" if oracle and "racle" not in short else "")
             for short, oracle in zip(short_labels(frame["label"]), frame["oracle"], strict=True)]  # fmt: skip
    columns = {}
    for name, metric in shown.items():
        unit = {"share": "%", "s": "s"}.get(metric.unit)
        factor, digits = (100, 1) if metric.unit == "share" else (1, 0 if metric.unit == "steps" else 3)
        cells = ["–" if pd.isna(value) else f"{factor * value:.{digits}f}" for value in frame[name].astype(float)]
        columns[f"{metric.label} ({unit})" if unit else metric.label] = cells
    return pd.DataFrame(columns, index=pd.Index(names, name="Method"))


def stars_note(frame: pd.DataFrame) -> str:
    """What the stars of :func:`comparison_table` mean, or why there are none."""
    share = share_in(frame)
    if nothing_to_heal(share):
        return f"No stars: {sentence(share)[0].lower()}{sentence(share)[1:]}"
    return "★ marks the best of each column; the original and oracles do not compete."


def fitted_note(frame: pd.DataFrame) -> str:
    """How methods are to be compared of which some fit the known examples directly; "" where none does."""
    if "knows" not in frame or not frame["knows"].str.contains(RIGHT).any():
        return ""
    return "Methods that are told right labels fit the known examples directly: compare them by what was not discovered."


def knows_help() -> str:
    """What the column :data:`KNOWS` says."""
    return (
        "What the method is told beside the model and the data that are left. F: which examples are in the forget set; given "
        "labels: those that F carries; right labels, trusted: what a person typed or checked; stand-in: in place of checked "
        "examples those with the lowest loss, which nobody looked at; truth: everything, an oracle."
    )


def group_counts(corrupted: int | None, discovered: int, train_size: int) -> dict[str, int]:
    """Examples per group; they add up to the training set. ``corrupted`` is None where it is unknown."""
    if corrupted is None:
        return {"unknown": train_size - discovered, "discovered": discovered}
    return {"clean": train_size - corrupted, "discovered": discovered, "undiscovered": corrupted - discovered}


def explanation(metric: type[Metric]) -> str:
    """A metric's formula, direction and split as one tooltip."""
    wanted = {"higher": "Higher is better.", "lower": "Lower is better."}.get(
        metric.direction, "Neither high nor low is better."
    )
    formula = metric.formula[0].upper() + metric.formula[1:]
    return f"{formula}. {wanted} Measured on: {metric.split}. Unit: {'%' if metric.unit == 'share' else metric.unit}."


def value_table(sets: Mapping[str, tuple[Any, Any]]) -> pd.DataFrame:
    """The parameters in which a method's two sets of values differ, side by side."""
    rows = [(name, as_text(tuned), as_text(paper)) for name, (tuned, paper) in sets.items()]
    return pd.DataFrame(rows, columns=["Parameter", "Tuned", "Paper"])


def as_text(value: object) -> str:
    """A parameter's value as it is typed."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def metric_frame(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """Every metric with formula, direction, split and unit."""
    fields = ("label", "formula", "direction", "split", "unit")
    return pd.DataFrame([{field: getattr(metric, field) for field in fields} for metric in metrics.values()])


def without_values(frame: pd.DataFrame, metrics: Mapping[str, Any]) -> list[str]:
    """Labels of the metrics that no model of the frame has a value for, each with what it would need to be compared with and
    is not there."""
    empty = [metric for name, metric in metrics.items() if name not in frame or frame[name].isna().all()]
    return [metric.label + _lacking(metric, set(frame["method"])) for metric in empty]


_NEEDED = {
    "original": "the original",
    "retrain": "a run of Retrain",
    "oracle_retrain": "a run of the oracle",
    "reference_models": "reference models",
}


def _lacking(metric: Any, models: set[str]) -> str:
    """What a metric compares with and these models do not have, in brackets. Reference models are no model of a table."""
    lacking = [_NEEDED.get(name, name) for name in metric.compares_with if name not in models]
    return f" (needs {' and '.join(lacking)})" if lacking else ""


def _number(unit: str, star: bool) -> str:
    known = {"share": "{:.1%}", "ratio": "{:.3f}", "score": "{:.3f}", "steps": "{:.0f}"}
    text = known.get(unit, "{:.2f} " + unit)
    return text + (" ★" if star else "")
