"""What came back in stored models that were trained further, as DataFrames, and the keys that say what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from unlearn_core.canonical import content_key
from unlearn_core.methods import registry as methods
from unlearn_core.results.tables import named

if TYPE_CHECKING:
    from unlearn_core.evaluation.returning import Course
    from unlearn_core.results.reader import Results
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.store.records import Json

REVISION = 1
MEASURED = (
    "healed_x_utility",
    "healed",
    "healed_discovered",
    "healed_undiscovered",
    "utility",
    "forget_accuracy",
    "retain_accuracy",
    "attack_success",
    "confused_accuracy",
    "worst_group",
)
"""What is measured after every epoch, as far as it has a meaning."""
AFTER = 3
"""Epochs of ordinary training after which a model is looked at where one number has to do."""
WHO = ["method", "label", "oracle"]
COURSE = ["data", "shown", "rate", "epochs", "trained_on", "left_out", "knows_truth"]
AFTERWARDS = [*WHO, "left_out", "now", "after", "lost", "attack_now", "attack_after", "without_undiscovered", "returned"]


def as_followed(spec: MethodSpec, course: Course) -> Course:
    """``course`` as it is stored: what a method that finds nothing leaves is the retain set, so that both have one key."""
    return replace(course, data="left") if course.data == "retain" and not finds(spec) else course


def finds(spec: MethodSpec) -> bool:
    """Whether the method finds corruption outside F, which its user would leave out of further training."""
    return methods.get(spec.name).ranks


def course_key(scenario: Scenario, spec: MethodSpec, course: Course) -> str:
    """Key of a stored run's model trained further."""
    return content_key("returns", REVISION, scenario.run_key(spec), asdict(as_followed(spec, course)))


def barrier_key(scenario: Scenario, spec: MethodSpec) -> str:
    """Key of the losses between a stored run's model and the original."""
    return content_key("barrier", REVISION, scenario.run_key(spec))


def found_by(payload: Json) -> list[int]:
    """Training indices outside F that a run found, or left out as in doubt, from its record's ``payload``; sorted."""
    discovery = (payload.get("report") or {}).get("discovery") or {}
    return sorted({*(int(entry["index"]) for entry in discovery.get("added", ())), *map(int, discovery.get("left_out", ()))})


def courses(store: Results, scenario: Scenario, specs: Sequence[MethodSpec], wanted: Sequence[Course]) -> pd.DataFrame:
    """One row for each epoch of every stored course of ``specs``, from 0, the model as it was.

    Columns: method, label, oracle; those of the course (data, shown, rate, epochs), trained_on (examples), left_out (found by
    the run itself), knows_truth; epoch, fit (share of the F that was not shown that has its given label), and :data:`MEASURED`
    (NaN where a number has no meaning).
    """
    rows: list[dict[str, Any]] = []
    for spec in specs:
        for course in dict.fromkeys(as_followed(spec, one) for one in wanted):
            record = store.get(course_key(scenario, spec, course))
            if record is None:
                continue
            told = {name: record.payload[name] for name in ("trained_on", "left_out")}
            about = named(spec, scenario) | asdict(course) | told | {"knows_truth": course.knows_truth}
            rows += [about | point for point in record.payload["points"]]
    columns = [*WHO, *COURSE, "epoch", "fit", *MEASURED]
    frame = pd.DataFrame(rows).reindex(columns=columns) if rows else pd.DataFrame(columns=columns)
    return frame.astype(dict.fromkeys(["fit", *MEASURED], float) | {"oracle": bool, "knows_truth": bool})


def afterwards(frame: pd.DataFrame, epochs: int = AFTER) -> pd.DataFrame:
    """One row for each method of :func:`courses`: healed × utility now and after ``epochs`` of training on what is left.

    Columns: method, label, oracle, left_out; now, after, lost (now − after); attack_now and attack_after (attack success);
    without_undiscovered (healed × utility after as many epochs where the undiscovered corruption is left out too); returned
    (fit of F to its given labels at the end of the course, less that at its start). NaN for what is not stored.
    """
    rows = []
    for method, part in frame[frame["shown"] == 0].groupby("method", sort=False):
        left, clean = (part[part["data"] == data].set_index("epoch") for data in ("left", "clean"))
        if left.empty or epochs not in left.index:
            continue
        start, then = left.loc[0], left.loc[epochs]
        rows.append(
            {"method": method, "label": start["label"], "oracle": start["oracle"], "left_out": start["left_out"]}
            | {"now": start["healed_x_utility"], "after": then["healed_x_utility"]}
            | {"lost": start["healed_x_utility"] - then["healed_x_utility"]}
            | {"attack_now": start["attack_success"], "attack_after": then["attack_success"]}
            | {"without_undiscovered": clean["healed_x_utility"].get(epochs)}
            | {"returned": left["fit"].iloc[-1] - start["fit"]}
        )
    found = pd.DataFrame(rows, columns=AFTERWARDS)
    return found.astype(dict.fromkeys(AFTERWARDS[4:], float) | {"oracle": bool})


def barriers(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> pd.DataFrame:
    """One row for each place on the way from a stored model (0) to the original (1): columns method, label, oracle, barrier
    (the same in all rows of a method), place, loss and accuracy on clean test data."""
    rows: list[dict[str, Any]] = []
    for spec in specs:
        record = store.get(barrier_key(scenario, spec))
        if record is not None:
            about = named(spec, scenario) | {"barrier": record.payload["barrier"]}
            rows += [about | point for point in record.payload["points"]]
    return pd.DataFrame(rows, columns=[*WHO, "barrier", "place", "loss", "accuracy"])
