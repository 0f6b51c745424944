"""Pictures of suspects: what is drawn is what was given, with and without the truth, with and without expectations."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from unlearn_core.views.picture import Picture
from unlearn_core.views.suspects import figure as drawn

N = 200


def curve() -> pd.DataFrame:
    taken = np.arange(1, N + 1)
    precision, recall = np.clip(1.2 - taken / 100, 0.1, 1), np.clip(taken / 50, 0, 1)
    return pd.DataFrame(
        {
            "taken": taken,
            "threshold": -taken.astype(float),
            "precision": precision,
            "precision_low": precision - 0.1,
            "precision_high": np.clip(precision + 0.1, 0, 1),
            "recall": recall,
            "recall_low": recall / 2,
            "recall_high": np.clip(recall + 0.2, 0, 1),
        }
    )


def truth() -> pd.DataFrame:
    taken = np.arange(1, N + 1)
    return pd.DataFrame({"taken": taken, "true_precision": 1 / taken, "true_recall": np.clip(taken / 40, 0, 1)})


def names(picture: Picture) -> list[str]:
    return [trace.name for trace in picture.figure.data if trace.name]


def check(picture: Picture) -> None:
    assert picture.caption.endswith(".")
    assert picture.alt
    for axis in (picture.figure.layout.xaxis, picture.figure.layout.yaxis):
        assert axis.title.text is not None


def test_expected_and_true_curves_stand_beside_each_other() -> None:
    picture = drawn.expectation(curve(), truth(), 30)
    check(picture)
    assert names(picture) == ["precision, expected", "precision, true", "recall, expected", "recall, true"]
    assert picture.figure.layout.shapes[0].x0 == 30
    assert {"precision", "true_precision", "taken"} <= set(picture.data.columns)
    assert "expected precision 90 %" in picture.alt
    assert "true precision 3 %" in picture.alt
    assert picture.figure.layout.xaxis.range[1] < N


def test_without_truth_or_expectation_the_rest_is_drawn() -> None:
    hidden = drawn.expectation(curve(), None, 30)
    assert names(hidden) == ["precision, expected", "recall, expected"]
    assert "true" not in hidden.alt
    ranked = drawn.expectation(curve().head(0), truth(), 20)
    check(ranked)
    assert names(ranked) == ["precision, true", "recall, true"]
    check(drawn.expectation(curve().head(0), None, 0))


def test_the_threshold_in_figures() -> None:
    row = {name: float(value) for name, value in (curve().iloc[29].to_dict() | truth().iloc[29].to_dict()).items()}
    precision, recall = drawn.threshold(row, truth=True)
    assert precision == ("Precision, expected", "90 %", "80 % to 100 % · true 3 %")
    assert recall[1] == "60 %"
    assert "true" not in drawn.threshold(row, truth=False)[0][2]
    assert drawn.threshold(dict.fromkeys(row, math.nan), truth=False)[0][1:] == ("–", "not known")


def test_evidence_is_ordered_by_what_is_trusted() -> None:
    evidence = pd.DataFrame(
        {
            "name": [f"s{k}" for k in range(12)],
            "label": [f"Score {k}" for k in range(12)],
            "summary": ["What it is."] * 12,
            "weight": np.linspace(0.3, 0, 12),
            "value": np.linspace(-1, 4, 12),
        }
    )
    picture = drawn.evidence_bars(evidence, 7)
    check(picture)
    bars = picture.figure.data[0]
    assert len(bars.y) == 8
    assert bars.y[-1].startswith("Score 0")
    assert bars.marker.opacity[-1] == pytest.approx(1)
    assert len(picture.data) == 12


def test_points_keep_their_roles() -> None:
    roles = ["other"] * 5 + ["above"] * 3 + ["below"] * 2 + ["forget"]
    frame = pd.DataFrame({"index": range(11), "x": 0.0, "y": 1.0, "given": ["a", "b"] * 5 + ["a"], "role": roles})
    picture = drawn.suspect_points(frame, ("a", "b"))
    check(picture)
    assert names(picture) == ["other (5)", "next below (2)", "above the threshold (3)", "in the forget set (1)"]


def test_a_change_is_drawn_from_before_to_after() -> None:
    frame = pd.DataFrame(
        {
            "method": ["rem"] * 2,
            "label": ["REM"] * 2,
            "metric": ["healed", "utility"],
            "metric_label": ["Healed", "Utility"],
            "before": [0.5, 0.9],
            "after": [0.8, math.nan],
        }
    )
    picture = drawn.change(frame)
    check(picture)
    assert names(picture) == ["REM, before", "REM, after"]
    assert "healed 50.0 % → 80.0 %" in picture.alt
