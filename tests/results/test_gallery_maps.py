"""The committed maps of other data: of today, as their plans say; those of photographs are shown without any of their files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assets import kind_gallery
from unlearn_core.cli.sweep import read_plan
from unlearn_core.datasets import forget_datasets
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results import gallery as g
from unlearn_core.store import Store
from unlearn_core.views.heatmap.data import GALLERY, heatmap_data

ROOT = Path(__file__).parents[2]


@pytest.fixture
def committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> g.Gallery:
    """Opened on a computer that never had the files."""
    monkeypatch.setenv("UNLEARN_CACHE", str(tmp_path / "cache"))
    forget_datasets()
    found = g.gallery(g.FOLDER)
    assert found is not None
    return found


@pytest.mark.parametrize("name", g.MAPS)
def test_a_committed_map_is_of_today_and_what_lacks_is_said(committed: g.Gallery, name: str) -> None:
    part = committed.maps[name]
    assert (part.outdated, part.redefined) == (0, [])
    plan = read_plan(ROOT / "assets" / f"gallery_{name}.yaml")
    runs = part.runs
    assert set(runs["method"]) <= {"original", *plan.methods}
    assert set(runs["options"]) == {""}
    assert runs["memorised"].min() >= 0.95  # there is something to heal
    made = json.loads((g.FOLDER / name / g.PROVENANCE).read_text())
    assert made["rows"] == len(runs)
    tasks = len(plan.seeds) * len(plan.regularity) * len(plan.discovery)
    assert kind_gallery.lacking(runs, tasks, plan.methods) in part.line()
    assert (g.FOLDER / name / g.RUNS).stat().st_size < 2**19


def test_heatmap_and_compare_find_them_without_the_files(committed: g.Gallery, tmp_path: Path) -> None:
    scenario = make_scenario("photographs", regularity=1.0, discovery=0.1, seed=20)
    shown = heatmap_data(Store.open(tmp_path / "store"), scenario, "healed", committed.on_dial).runs
    assert set(shown["source"]) == {GALLERY}
    assert {"original", "retrain", "oracle_retrain", "rem"} <= set(shown["method"])
    specs = [make_method(name, scenario) for name in ("rem", "retrain")]
    rows = g.comparison_rows(committed.comparisons, scenario, specs)
    assert set(rows["method"]) == {"original", "rem", "retrain"}
    assert "--map photographs" in committed.line_of(rows["key"])
    digits = make_scenario("digits", regularity=1.0, discovery=0.1)
    there = heatmap_data(Store.open(tmp_path / "store"), digits, "healed", committed.on_dial).runs
    assert set(there["dataset"]) == {"digits"}
