"""The points that a person draws on: the clean ones, what each is given, and which of them are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from unlearn_core.corruption.drawn import Drawing
from unlearn_core.datasets import load_dataset
from unlearn_core.specs import Scenario


def canvas_points(scenario: Scenario, drawing: Drawing) -> pd.DataFrame:
    """One row for every clean training point of ``scenario``, whose own corruption has no say here.

    Columns index, x, y, clean and given (names of classes) and group (clean, discovered or undiscovered).
    """
    train = load_dataset(scenario.dataset, scenario.seed).train
    place, names, clean = train.inputs.numpy(), np.array(train.class_names, dtype=object), train.labels.numpy()
    given, group = clean.copy(), np.full(len(train), "clean", dtype=object)
    for index, label in drawing.given.items():
        given[index], group[index] = label, "discovered" if index in drawing.known else "undiscovered"
    return pd.DataFrame(
        {
            "index": np.arange(len(train)),
            "x": place[:, 0],
            "y": place[:, 1],
            "clean": names[clean],
            "given": names[given],
            "group": group,
        }
    )
