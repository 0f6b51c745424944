"""Words and tables of the pages that once misled: the time that is left, right labels among the corrupted, exports, widths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from unlearn_core.evaluation import build_scenario_data, registry
from unlearn_core.presets import make_scenario
from unlearn_core.results.table_export import latex
from unlearn_core.views.craft.data import preview
from unlearn_core.views.suspects.figure import evidence_bars
from unlearn_core.views.table import explanation, plain_table
from unlearn_core.views.text.sentences import rightly_labelled_line, time_left


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.0, "almost done"), (0.04, "almost done"), (0.6, "about 0.6 s left"), (75, "about 1 min 15 s left")],
)
def test_nothing_is_said_to_take_no_time(seconds: float | None, words: str) -> None:
    assert time_left(seconds) == words


@pytest.mark.parametrize(("regularity", "some"), [(0.0, False), (1.0, True)])
def test_corrupted_examples_that_carry_their_right_label_are_counted_and_explained(regularity: float, some: bool) -> None:
    """A trigger that asks for 0, on a 0."""
    scenario = make_scenario("digits", regularity=regularity)
    corrupted = build_scenario_data(scenario, torch.device("cpu")).corrupted
    hit = corrupted.truth.corrupted
    right = int((corrupted.truth.clean_labels[hit] == corrupted.train.labels[hit]).sum())
    assert (right > 0) == some
    assert preview(scenario).rightly_labelled == right
    assert rightly_labelled_line(right, "0").startswith(
        f"{right} of the corrupted examples carry the trigger and a right label"
    )
    assert "as long as the model says “0”" in rightly_labelled_line(right, "0")
    assert "what is wrong with them is the image" in rightly_labelled_line(right, None)


def test_the_table_on_compare_leaves_as_it_is_shown() -> None:
    metrics = {name: registry.get(name) for name in ("healed", "utility", "seconds")}
    frame = pd.DataFrame(
        {
            "method": ["original", "rem", "oracle_retrain"],
            "label": ["Original", "REM_x", "Retrain on clean data"],
            "oracle": [False, False, True],
            "healed": [0.0, 0.8512, 0.97],
            "utility": [np.nan, np.nan, np.nan],
            "seconds": [np.nan, 1.25, 3.0],
        }
    )
    table = plain_table(frame, metrics)
    assert list(table.columns) == [f"{metrics['healed'].label} (%)", f"{metrics['seconds'].label} (s)"]  # none has a utility
    assert table.to_numpy().tolist() == [["0.0", "–"], ["85.1", "1.250"], ["97.0", "3.000"]]
    assert table.index[-1].endswith("(oracle)")
    assert r"REM\_x & 85.1 & 1.250 \\" in latex(table)
    assert "<td>85.1</td>" in table.to_html()


def test_every_metric_gives_its_whole_formula() -> None:
    for metric in registry:
        formula = metric.formula[0].upper() + metric.formula[1:]
        assert explanation(metric).startswith(f"{formula}. ")
        assert "…" not in explanation(metric)


def test_labels_of_the_evidence_are_whole() -> None:
    """Name and weight stand on the axis, which makes room for them."""
    evidence = pd.DataFrame(
        {"name": ["a", "b"], "label": ["How late it is learned in training", "Loss"], "summary": "x", "weight": [0.6, 0.4],
         "value": [2.0, 1.0]}
    )  # fmt: skip
    figure = evidence_bars(evidence, 7).figure
    assert list(figure.data[0].y) == ["Loss · 40 %", "How late it is learned in training · 60 %"]
    assert figure.data[0].text is None  # none that a short bar would cut
    assert figure.layout.yaxis.automargin
