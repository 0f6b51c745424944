"""Editing a forget set: what is truly in it, what stands where beside a threshold, what an edit changed, what it costs."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from unlearn_core.corruption import truth_known
from unlearn_core.forget_sets import ForgetSet
from unlearn_core.results.measured import recorded
from unlearn_core.results.reader import GROUPS, Results, groups_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.views.suspects.data import SHOWN, Suspects

WALL = 16
"""Pictures on either side of a threshold."""
CLEAN = 0.1
"""An example of a forget set that is less probably corrupted than this may be accused wrongly."""
IN, OUT, TRUSTED, UNDECIDED = "in your set", "rejected", "trusted", ""


def set_counts(scenario: Scenario, indices: Sequence[int]) -> dict[str, int]:
    """The truth about a set of training examples: how many there are, how many of them are corrupted and how many clean
    ones are accused wrongly, and how much corruption is left outside."""
    corrupted = set(scenario_data(scenario).corrupted.truth.corrupted.tolist())
    right = len(corrupted.intersection(indices))
    return {"size": len(indices), "right": right, "wrong": len(indices) - right, "left": len(corrupted) - right}


def changed(store: Results, before: Scenario, after: Scenario, specs: Sequence[MethodSpec]) -> pd.DataFrame:
    """What another forget set did to each of ``specs`` that is stored for both scenarios: columns method, label, metric,
    metric_label, before, after (NaN where a metric has no meaning)."""
    from unlearn_core.evaluation import registry as metrics
    from unlearn_core.methods import registry as methods

    rows, shown = [], ("healed", "utility", "healed_x_utility")
    if not truth_known(before):  # then it is unknown what healed
        shown = ("forget_accuracy", "retain_accuracy", "utility")
    for spec in specs:
        pair = [record for scenario in (before, after) if (record := store.get(scenario.run_key(spec))) is not None]
        if len(pair) < 2:
            continue
        for name in shown:
            values = [recorded(record.payload).get(name) for record in pair]
            label = methods.get(spec.name).label
            rows.append((spec.name, label, name, metrics.get(name).label, *values))
    frame = pd.DataFrame(rows, columns=["method", "label", "metric", "metric_label", "before", "after"])
    return frame.astype({"before": float, "after": float})


def next_suspects(before: Suspects, after: Suspects, count: int = SHOWN) -> pd.DataFrame:
    """The first suspects with the new forget set: ``after.table`` with a column before, their rank with the old one (NaN: they
    were in the old forget set)."""
    ranks = dict(zip(before.table["index"], before.table["rank"], strict=True))
    head = after.table.head(count)
    return head.assign(before=[float(ranks.get(index, math.nan)) for index in head["index"]])


def expected_seconds(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> float | None:
    """How long these methods would take here, from stored runs on the same data and network; None where nothing like them
    has been run. A discovery is counted in the REM runs it consists of."""
    from unlearn_core.results.run_table import stored_runs

    runs = stored_runs(store, scenario.dataset.name)
    frame = runs.frame
    if "seconds" not in frame:
        return None
    frame = frame[(frame["model"] == scenario.model.name) & (frame["seconds"] > 0)]
    known_specs = runs.spec_of(frame["spec"].unique())
    seconds: dict[str, list[float]] = {}
    for key, taken in frame.groupby("spec", sort=False)["seconds"]:
        if (method := known_specs.get(str(key))) is not None:
            each = taken.to_numpy(float) / rem_runs(method.name, method.params)
            seconds.setdefault(_kind(method.name), []).extend(each.tolist())
    parts = []
    for spec in specs:
        known = seconds.get(_kind(spec.name))
        if not known:
            return None
        parts.append(float(np.median(known)) * rem_runs(spec.name, spec.params))
    return sum(parts)


def rem_runs(name: str, params: dict[str, Any]) -> float:
    """How many REM runs a method costs, roughly: looks at the data are three quarters of one, and a last run follows."""
    if not name.endswith("_discover"):
        return 1.0
    return 0.75 * float(params.get("rounds", 1)) * float(params.get("folds", 1)) + 1.0


def _kind(name: str) -> str:
    return "rem" if name in ("rem", "rem_discover") else name


def marked(table: pd.DataFrame, content: ForgetSet) -> pd.DataFrame:
    """Rows of suspects with a column status: :data:`IN` for those in the edited set, :data:`OUT` for those that the user
    rejected, :data:`TRUSTED` for those that were checked, else empty."""
    status = dict.fromkeys(content.indices, IN) | dict.fromkeys(content.rejected, OUT)
    status |= dict.fromkeys(content.checked, TRUSTED)
    return table.assign(status=[status.get(index, UNDECIDED) for index in table["index"]])


def sides(table: pd.DataFrame, count: int, wall: int = WALL) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The suspects at the threshold: the last ``wall`` of the first ``count``, and the first ``wall`` after them."""
    return table.iloc[max(0, count - wall) : count], table.iloc[count : count + wall]


def doubted(found: Suspects, indices: Collection[int]) -> pd.DataFrame:
    """These training examples as the search judges them, the most probably clean first: columns of ``found.everyone``."""
    rows = found.everyone.iloc[sorted(indices)]
    return rows.sort_values("probability", kind="stable", na_position="last")


def to_add(table: pd.DataFrame, count: int, content: ForgetSet) -> list[int]:
    """The first ``count`` suspects that are neither in the edited set nor found clean yet."""
    known = {*content.indices, *content.clean}
    return [int(index) for index in table["index"].head(count) if index not in known]


def forget_of(scenario: Scenario) -> list[int]:
    """The forget set in use, ascending."""
    return [int(index) for index in scenario_data(scenario).corrupted.truth.forget_of(scenario)]


def truth_of(scenario: Scenario) -> np.ndarray:
    """The true group of every training example as text, (N,): for comparison only."""
    return np.asarray(np.array(GROUPS)[groups_of(scenario)])


def roles(scenario: Scenario, found: Suspects, count: int, wall: int = WALL) -> pd.DataFrame:
    """2-D training data beside a threshold: columns index, x, y, given and role: "forget", "above", "below" or "other"."""
    data = scenario_data(scenario).corrupted.train
    role = np.full(len(data), "other", dtype=object)
    order = found.table["index"].to_numpy()
    role[order[:count]], role[order[count : count + wall]] = "above", "below"
    role[list(found.forget)] = "forget"
    names = np.array(data.class_names, dtype=object)
    x = data.inputs.numpy()
    columns = {"index": np.arange(len(data)), "x": x[:, 0], "y": x[:, 1], "given": names[data.labels.numpy()], "role": role}
    return pd.DataFrame(columns)
