"""Healing class by class: a mean over all corrupted examples can hide a class that no method healed."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from unlearn_core.results.reader import Results, scenario_data
from unlearn_core.results.tables import ORIGINAL, named
from unlearn_core.specs import MethodSpec, Scenario

WHO = ["method", "label", "oracle"]
COLUMNS = [*WHO, "class", "n", "healed", "test_n", "utility"]


def by_class(store: Results, scenario: Scenario, specs: Sequence[MethodSpec]) -> pd.DataFrame:
    """One row for each class of the original and of every method of ``specs`` that is stored, in the order given.

    Columns: method, label, oracle, class (its name; the clean label), n (corrupted examples that truly belong to it),
    healed (share of those predicted as this class; NaN where n is 0), test_n and utility (clean test data of the class).
    """
    corrupted = scenario_data(scenario).corrupted
    truth, names = corrupted.truth, corrupted.train.class_names
    members = truth.corrupted.numpy()
    clean, test = truth.clean_labels.numpy()[members], corrupted.test.labels.numpy()
    models = [({"method": ORIGINAL, "label": "Original", "oracle": False}, scenario.original_key)]
    models += [(named(spec, scenario), scenario.run_key(spec)) for spec in specs]
    stored = store.has([key for _, key in models])
    frames = []
    for who, key in models:
        if key not in stored:
            continue
        with contextlib.suppress(LookupError):  # damaged arrays: this model has no rows, the others do
            logits = store.arrays(key, "logits")
            shares = count_classes(logits["train"][members].argmax(1), clean, logits["test"].argmax(1), test, names)
            frames.append(pd.concat([pd.DataFrame([who] * len(shares)), shares], axis=1))
    if not frames:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(frames, ignore_index=True)[COLUMNS]


def count_classes(
    predicted: np.ndarray, clean: np.ndarray, test_predicted: np.ndarray, test_labels: np.ndarray, names: Sequence[str]
) -> pd.DataFrame:
    """Shares per class: ``predicted`` and ``clean`` int (n,) over C, ``test_predicted`` and ``test_labels`` int (m,).

    Columns: class, n, healed, test_n, utility; a share of nothing is NaN.
    """
    rows = []
    for k, name in enumerate(names):
        ours, tested = clean == k, test_labels == k
        rows.append(
            {
                "class": name,
                "n": int(ours.sum()),
                "healed": _share(predicted[ours] == k),
                "test_n": int(tested.sum()),
                "utility": _share(test_predicted[tested] == k),
            }
        )
    return pd.DataFrame(rows)


def _share(flags: np.ndarray) -> float:
    return float(flags.mean()) if len(flags) else float("nan")
