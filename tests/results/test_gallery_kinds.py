"""The kinds in the gallery: computed from a plan, shown in the heatmap and in comparisons, with the numbers of the store."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest
import yaml

from assets import kind_gallery, make_gallery
from unlearn_core import view_state as vs
from unlearn_core.cli.sweep import read_plan
from unlearn_core.presets import make_method
from unlearn_core.results import gallery as g
from unlearn_core.results import tables
from unlearn_core.results.settings import options_of
from unlearn_core.specs import Scenario
from unlearn_core.store import Store
from unlearn_core.views.heatmap.data import GALLERY
from unlearn_core.views.heatmap.kinds import kinds_data

ROOT = Path(__file__).parents[2]

QUERY = "dataset=blobs&discovery=0.5"
KINDS = {"asymmetric", "clean_label", "instance_dependent"}


def in_kinds() -> dict[str, Scenario]:
    return {name: vs.to_scenario(view) for name, view in vs.kind_states(vs.decode(QUERY)[0]).items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, g.Gallery]:
    """The kinds of points beside a copy of the map, and the store that they were computed in."""
    folder = tmp_path_factory.mktemp("kinds")
    out, plan, store = folder / "out", folder / "plan.yaml", Store.open(folder / "store")
    out.mkdir()
    for name in (g.RUNS, g.PROVENANCE):
        shutil.copy(g.FOLDER / name, out / name)
    plan.write_text(yaml.safe_dump({"dataset": "blobs", "discovery": [0.5], "seeds": [0], "methods": ["finetune", "retrain"]}))
    options = argparse.Namespace(export_only=False, engine="inline", workers=None, out=out, note="", timed=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make_gallery, "KIND_PLAN", plan)
        assert make_gallery.kinds(store, options) == 0
    found = g.gallery(out)
    assert found is not None
    return store, found


def test_each_kind_off_the_map_is_there_with_the_store_s_numbers(made: tuple[Store, g.Gallery]) -> None:
    store, gallery = made
    assert gallery.kinds is not None
    rows = gallery.kinds.runs
    assert set(rows["options"]) == {f"corruption.kind={kind}" for kind in KINDS}
    assert len(rows) == len(KINDS) * 3
    assert gallery.kinds.outdated == 0
    assert rows["seconds"].isna().all()  # of a machine that was busy
    for kind, scenario in in_kinds().items():
        if kind not in KINDS:
            continue
        specs = [make_method(name, scenario) for name in ("finetune", "retrain")]
        expected = tables.comparison(store, scenario, specs).set_index("method")
        mine = rows[rows["options"] == options_of(scenario)].set_index("method")
        compared = g.comparison_rows(gallery.comparisons, scenario, specs).set_index("method")
        for name in ("original", "finetune", "retrain"):
            assert mine.loc[name, "key"] == expected.loc[name, "key"]
            for metric in ("healed", "utility", "gap_retrain"):
                value = pytest.approx(expected.loc[name, metric], abs=1e-6, nan_ok=True)
                assert mine.loc[name, metric] == value
                assert compared.loc[name, metric] == value


def test_the_heatmap_has_them_on_an_empty_store(made: tuple[Store, g.Gallery], tmp_path: Path) -> None:
    store, gallery = made
    kinds, empty = in_kinds(), Store.open(tmp_path)
    shown, tasks = kinds_data(empty, kinds, "healed", gallery.with_kinds)
    computed, _ = kinds_data(store, kinds, "healed", None)
    assert [task.kind for task in tasks] == list(kinds)
    assert set(shown.runs["kind"]) == KINDS
    assert set(shown.runs["source"]) == {GALLERY}
    by = ["kind", "method"]
    values = computed.runs[computed.runs["method"] != "original"].set_index(by)["value"]
    assert len(values) == 2 * len(KINDS)
    for place, value in values.items():
        assert shown.runs.set_index(by).loc[place, "value"] == pytest.approx(value, abs=1e-6)
    assert kinds_data(empty, kinds, "healed", gallery.runs)[0].runs.empty


def test_each_part_says_how_it_was_made(made: tuple[Store, g.Gallery]) -> None:
    _, gallery = made
    assert gallery.kinds is not None
    kind, mapped = gallery.kinds.runs["key"].iloc[0], gallery.runs["key"].iloc[0]
    assert "--kinds" in gallery.line_of([kind])
    assert "--kinds" not in gallery.line_of([mapped])
    assert gallery.line_of([kind, mapped]) == f"{gallery.line()} {gallery.kinds.line()}"


def test_the_committed_kinds_are_those_of_the_plan_and_of_today() -> None:
    found = g.gallery(g.FOLDER)
    assert found is not None
    assert found.kinds is not None
    plan = read_plan(ROOT / "assets" / "gallery_kinds.yaml")
    wanted = {options_of(what) for what in kind_gallery.scenarios(plan)}
    assert set(found.kinds.runs["options"]) == wanted
    assert len(wanted) >= 12
    assert set(found.kinds.runs["method"]) == {"original", *plan.methods}
    assert found.kinds.outdated == 0
    made = json.loads((g.FOLDER / g.KINDS / g.PROVENANCE).read_text())
    assert made["rows"] == len(found.kinds.runs)
    # What the plan asks for and the table has not is said where it is shown.
    said = kind_gallery.lacking(found.kinds.runs, len(kind_gallery.scenarios(plan)), plan.methods)
    assert said in made["note"]
    assert said in found.kinds.line()
    assert (g.FOLDER / g.KINDS / g.RUNS).stat().st_size < 2**18
