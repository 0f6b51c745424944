"""What is said of plans on a cluster: built from what was measured, and what is committed is what comes out."""

from __future__ import annotations

import json

import pytest

from benchmarks.measure.cluster_faults import together
from benchmarks.measure.cluster_plan import CORES, GPUS, digits_headline, one_cell, paper_grid, rows_of
from benchmarks.paths import DOCS, RESULTS
from benchmarks.report.cluster import fault_table, plan_table


def read(name: str) -> dict[str, object]:
    return json.loads((RESULTS / f"{name}.json").read_text())


def test_the_committed_rows_are_what_the_measured_seconds_give() -> None:
    grid = paper_grid(read("gpu"))
    own = {entry["key"]: entry["seconds"] for entry in read("gpu")["items"]}
    assert sum(grid.takes[key] == own.get(key) for key in grid.takes) == grid.measured > 100
    rows = rows_of(grid, GPUS) + rows_of(one_cell(grid), GPUS) + rows_of(digits_headline(read("teaching_grid")), CORES)
    committed = read("cluster_plan")["rows"]
    for row, kept in zip(rows, committed, strict=True):
        assert (row["plan"], row["workers"]) == (kept["plan"], kept["workers"])
        assert row["engine"]["makespan"] == pytest.approx(kept["engine"]["makespan"], rel=0.02)
        assert row["least"] <= row["engine"]["makespan"] <= row["planned_order"]["makespan"] * 1.001
        assert row["lost"]["makespan"] >= row["engine"]["makespan"]


def test_the_documents_have_these_tables() -> None:
    page = (DOCS / "cluster.md").read_text()
    for lines in (plan_table(read("cluster_plan")), fault_table(read("cluster_faults"))):
        assert "\n".join(lines) in page


def test_rounds_are_counted_once() -> None:
    one = {"rounds": 1, "stages": 54, "commands": 2, "different": 0, "seconds": 1.0, "seeds": [0]}
    one |= {"faults": {"a": {"times": 1, "lost": 0}}}
    other = one | {"seeds": [1], "different": 1, "faults": {"a": {"times": 2, "lost": 3}, "b": {"times": 1, "lost": 0}}}
    both = together(one, other)
    assert (both["rounds"], both["different"], both["seeds"]) == (2, 1, [0, 1])
    assert both["faults"] == {"a": {"times": 3, "lost": 3}, "b": {"times": 1, "lost": 0}}
    with pytest.raises(SystemExit):
        together(one, one)
