"""Which class is taken for which: counts by hand, cells that lead to their examples, what the caption says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unlearn_core.presets import make_method, make_scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.views.compare.confusion import Confusion, confusion
from unlearn_core.views.compare.confusion_figure import confusion_matrices

FOUND = Confusion(
    "test", ("cat", "<b>dog</b>", "fox"), examples=np.array([10, 11, 12, 13, 14]), right=np.array([0, 0, 1, 1, 2]),
    before=np.array([0, 0, 1, 0, 2]), after=np.array([0, 2, 1, 1, 0]),
)  # fmt: skip


def test_rows_are_right_classes_and_columns_predictions() -> None:
    assert FOUND.counts(FOUND.before).tolist() == [[2, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert FOUND.counts(FOUND.after).tolist() == [[1, 0, 1], [0, 2, 0], [1, 0, 0]]


def test_a_cell_has_its_examples_by_their_place_in_the_data() -> None:
    assert FOUND.cell(0, 2).tolist() == [11]
    assert FOUND.cell(1, 0, healed=False).tolist() == [13]
    assert FOUND.cell(2, 1).tolist() == []


def test_a_click_tells_the_cell_and_the_model() -> None:
    figure = confusion_matrices(FOUND, "REM").figure
    before, after = (trace for trace in figure.data if trace.type == "scatter" and trace.mode == "markers")
    assert [cell[0] for cell in before.customdata] == list(range(9))
    assert [cell[0] for cell in after.customdata] == list(range(9, 18))
    assert (after.x[5], after.y[5]) == (2, 1)
    assert "&lt;b&gt;dog" in figure.layout.xaxis.ticktext[1]


def test_the_caption_names_what_is_newly_wrong() -> None:
    caption = confusion_matrices(FOUND, "REM").caption
    assert "the original takes 1 for another class, REM 2, of which the original had 2 right" in caption
    assert "cat is now taken for fox (1)" in caption
    same = Confusion(FOUND.split, FOUND.names, FOUND.examples, FOUND.right, FOUND.before, FOUND.before)
    assert "none that the original had right" in confusion_matrices(same, "REM").caption


def test_the_data_has_both_models_counts() -> None:
    data = confusion_matrices(FOUND, "REM").data
    assert data["original"].sum() == data["healed model"].sum() == 5
    row = data[(data["right"] == "cat") & (data["predicted"] == "fox")].iloc[0]
    assert (row["original"], row["healed model"]) == (0, 1)


def test_of_stored_models_the_diagonal_is_the_utility(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    scenario = make_scenario("blobs", amount=60, discovery=0.5, overrides={"training.epochs": 2})
    rem, npo = make_method("finetune", scenario), make_method("npo", scenario)
    for stage in plan_runs(scenario, [rem]):
        run_stage(stage, store, "cpu", SilentReporter())
    found = confusion(store, scenario, rem, "test")
    assert found is not None
    record = store.get(scenario.run_key(rem))
    assert record is not None
    right = np.trace(found.counts(found.after)) / len(found.right)
    assert right == pytest.approx(record.payload["metrics"]["utility"])
    corrupted = confusion(store, scenario, rem, "corrupted")
    assert corrupted is not None
    healed = np.trace(corrupted.counts(corrupted.after)) / len(corrupted.right)
    assert healed == pytest.approx(record.payload["metrics"]["healed"])
    assert confusion(store, scenario, npo, "test") is None
