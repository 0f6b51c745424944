"""Compare says what each method knows, and which cannot run because a person gave nothing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pages.cache import catalog
from pages.widgets import comparison
from unlearn_core import view_state as vs
from unlearn_core.engine import Engine
from unlearn_core.methods import registry
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.table import KNOWS, comparison_table, fitted_note, knows_help
from unlearn_core.views.text.choices import choices

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


def test_without_checked_examples_a_stand_in_runs_and_what_has_none_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    state, _ = vs.decode("methods=sap,rem&dataset=blobs&discovery=0.5")
    assert catalog.blocked_by(state, ["sap", "rem"]) == []
    monkeypatch.setattr(registry.get("sap"), "stands_in", False)
    assert catalog.blocked_by(state, ["sap", "rem"]) == ["sap"]
    assert "These need checked examples, and there are none: SAP." in catalog.why_blocked(state, ["sap"], "use")


def test_compare_tells_a_stand_in_from_what_was_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path)
    monkeypatch.setattr(comparison, "store", lambda: store)
    engine = Engine(store, address="inline", device="cpu")
    for query, told in (("", "stand-in"), ("&person.checked=20", "trusted")):
        state, _ = vs.decode(f"methods=sap,clp&dataset=blobs&discovery=0.5&training.epochs=2{query}")
        scenario, specs = vs.to_scenario(state), vs.to_methods(state, ["sap", "clp"])
        engine.wait(engine.submit(plan_runs(scenario, specs), "a test"))
        frame = comparison.frame_of(scenario, specs)
        assert dict(zip(frame["method"], frame["knows"], strict=True)) == {"original": "–", "sap": told, "clp": "nothing"}
        assert ("nobody checked" in " ".join(choices(store, scenario, specs))) is (told == "stand-in")
    engine.close()
    store.close()
    assert "which nobody looked at" in knows_help()


def test_the_table_says_what_each_method_knows() -> None:
    frame = pd.DataFrame({"method": ["original", "rem"], "label": ["Original", "REM"], "oracle": False, "knows": ["–", "F"]})
    assert comparison_table(frame, {}).data[KNOWS].tolist() == ["–", "F"]
    assert KNOWS not in comparison_table(frame.drop(columns="knows"), {}).data
    assert fitted_note(frame) == ""
    assert "compare them by what was not discovered" in fitted_note(frame.assign(knows=["–", "F · right labels"]))
