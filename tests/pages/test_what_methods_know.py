"""Compare says what each method knows, and which cannot run because a person gave nothing."""

from __future__ import annotations

import pandas as pd

from pages.cache import catalog
from unlearn_core import view_state as vs
from unlearn_core.views.table import KNOWS, comparison_table, fitted_note

QUERY = "methods=relabel_only,rem&discovery=0.5"


def test_what_needs_right_labels_is_blocked_until_they_are_typed() -> None:
    without, typed = (vs.decode(query)[0] for query in (QUERY, f"{QUERY}&person.typed=1"))
    names = ["relabel_only", "rem"]
    assert catalog.blocked_by(without, names) == ["relabel_only"]
    said = catalog.why_blocked(without, ["relabel_only"], "use")
    assert said.startswith("These need right labels, and there are none: Right labels alone.")
    assert catalog.ASIDE in said
    assert catalog.blocked_by(typed, names) == []
    nothing = without | {"discovery": 0.0}
    assert "need a forget set" in catalog.why_blocked(nothing, catalog.blocked_by(nothing, names), "use")


def test_the_table_says_what_each_method_knows() -> None:
    frame = pd.DataFrame({"method": ["original", "rem"], "label": ["Original", "REM"], "oracle": False, "knows": ["–", "F"]})
    assert comparison_table(frame, {}).data[KNOWS].tolist() == ["–", "F"]
    assert KNOWS not in comparison_table(frame.drop(columns="knows"), {}).data
    assert fitted_note(frame) == ""
    assert "compare them by what was not discovered" in fitted_note(frame.assign(knows=["–", "F · right labels"]))
