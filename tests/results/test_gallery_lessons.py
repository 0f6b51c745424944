"""The lessons' part of the gallery: found from the lessons, made by its command, read below the store, adopted."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from assets import lesson_gallery as made_from
from unlearn_core.methods import registry as methods
from unlearn_core.results import gallery as g
from unlearn_core.results import gallery_lessons, tables
from unlearn_core.stages.execution import run_stage
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter
from unlearn_core.view_state.lessons import parse

TEXT = """# Tiny
One knows more afterwards.

## Compared
page: compare
set: dataset=blobs&discovery=0.5&methods=finetune,retrain
minutes: 1

Look.
"""
MORE = """
## Drawn
page: boundary
set: views=original,retrain&time=rounds
minutes: 1

Look.
"""
MADE = {
    "command": "make",
    "date": "2026-01-02",
    "machine": "here",
    "versions": {},
    "note": "No seconds.",
    "metric_revisions": {},
}


def steps(text: str) -> dict[str, made_from.Opened]:
    return made_from.steps_of([parse("tiny", text)])


def run(store: Store, text: str) -> None:
    for one in steps(text).values():
        for stage in one.stages:
            if store.get(stage.key) is None:
                run_stage(stage, store, "cpu", SilentReporter())


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    """A gallery with an empty map and a lesson of two steps, and the store that it was made from."""
    folder, made = tmp_path_factory.mktemp("lessons"), MADE | {"metric_revisions": made_from.revisions()}
    (folder / g.RUNS).write_text(",".join(g.COLUMNS) + "\n")
    (folder / g.RECORDS).write_text("[]")
    (folder / g.PROVENANCE).write_text(json.dumps(made | {"command": "the map"}))
    store = Store.open(folder / "store")
    run(store, TEXT)
    assert made_from.export(store, steps(TEXT), folder, made, timed=False) == {"new": 4, "kept": 0, "lacking": 0}
    first = files(folder / g.LESSONS)
    assert made_from.export(store, steps(TEXT), folder, made | {"date": "later"}, timed=True)["new"] == 0
    assert files(folder / g.LESSONS) == first  # what is there stays as it is
    assert made_from.lacking(steps(TEXT + MORE), folder).steps == ["tiny 2"]
    run(store, TEXT + MORE)
    assert made_from.export(store, steps(TEXT + MORE), folder, made, timed=False) == {"new": 3, "kept": 4, "lacking": 0}
    assert made_from.lacking(steps(TEXT + MORE), folder).steps == []
    return store, folder


def opened(folder: Path) -> g.Gallery:
    found = g.gallery(folder)
    assert found is not None
    return found


def test_a_comparison_has_the_store_s_numbers_and_rounds_but_no_disturbed_seconds(made: tuple[Store, Path]) -> None:
    store, folder = made
    one = steps(TEXT)["tiny 1"]
    rows = g.comparison_rows(opened(folder).comparisons, one.scenario, one.compared).set_index("method")
    computed = tables.comparison(store, one.scenario, one.compared).set_index("method")
    assert set(rows.index) == {"original", "finetune", "retrain", "oracle_retrain"}
    for name in ("healed", "utility", "gap_retrain", "mia_auc"):
        assert rows[name].tolist() == pytest.approx(computed[name].reindex(rows.index).tolist(), abs=1e-6, nan_ok=True)
    assert rows["seconds"].isna().all()
    assert computed.loc["finetune", "seconds"] > 0
    lessons = opened(folder).lessons
    assert lessons is not None
    empty = Store.open(folder / "empty")
    shown = tables.trajectories(empty, one.scenario, one.compared, lessons.trajectories)
    expected = tables.trajectories(store, one.scenario, one.compared)
    assert shown["healed"].tolist() == pytest.approx(expected["healed"].tolist(), abs=1e-6)
    assert tables.trajectories(empty, one.scenario, one.compared).empty


def test_a_store_adopts_what_a_step_looks_into(made: tuple[Store, Path], tmp_path: Path) -> None:
    store, folder = made
    mine, two = Store.open(tmp_path), steps(TEXT + MORE)["tiny 2"]
    assert opened(folder).adopt(mine) == 3
    assert opened(folder).adopt(mine) == 0
    for stage in two.records:
        ours, theirs = mine.get(stage.key), store.get(stage.key)
        assert ours is not None
        assert theirs is not None
        assert set(ours.arrays) == set(theirs.arrays) - {"snapshots"}
        assert ours.payload.get("seconds") is None
        assert ours.payload.get("trajectory") == theirs.payload.get("trajectory")
        assert ours.environment[g.ADOPTED] == "2026-01-02"
        for name in ours.arrays:
            here, there = mine.arrays(stage.key, name), store.arrays(stage.key, name)
            assert all(np.array_equal(here[part], there[part]) for part in there)


def test_a_look_at_a_changed_method_is_left_out(
    made: tuple[Store, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods.get("retrain"), "revision", 999)
    mine = Store.open(tmp_path)
    assert dataclasses.replace(opened(made[1])).adopt(mine) == 1
    assert [record.kind for record in mine.find()] == ["original"]
    assert made_from.lacking(steps(TEXT + MORE), made[1]).steps == ["tiny 1", "tiny 2"]


def test_where_results_come_from_is_said_of_each_part(made: tuple[Store, Path]) -> None:
    found, one = opened(made[1]), steps(TEXT)["tiny 1"]
    assert "`the map`" in found.line()
    assert found.line_of(["elsewhere"]) == found.line()
    told = found.line_of([one.scenario.original_key])
    assert "`make`" in told
    assert "`the map`" not in told
    assert "No seconds." in told


def test_without_lessons_there_is_the_map_alone(made: tuple[Store, Path], tmp_path: Path) -> None:
    for name in (g.RUNS, g.RECORDS, g.PROVENANCE):
        (tmp_path / name).write_bytes((made[1] / name).read_bytes())
    assert opened(tmp_path).lessons is None
    assert opened(tmp_path).adopt(Store.open(tmp_path / "store")) == 0
    assert "`the map`" in opened(tmp_path).line_of(["any"])


@pytest.fixture
def committed() -> Path:
    if gallery_lessons.read_lessons(g.FOLDER / g.LESSONS) is None:
        pytest.skip("no lessons are committed yet")
    return g.FOLDER


def test_every_step_of_every_lesson_has_what_it_opens_on(committed: Path) -> None:
    """Where a lesson is new: ``python assets/make_gallery.py --lessons --store FOLDER``."""
    found = made_from.lacking(made_from.steps_of(), committed)
    assert found.steps == []


def test_the_committed_lessons_are_small_and_show_no_disturbed_seconds(committed: Path) -> None:
    lessons = gallery_lessons.read_lessons(committed / g.LESSONS)
    assert lessons is not None
    assert sum(path.stat().st_size for path in lessons.folder.rglob("*") if path.is_file()) < 8 * 2**20
    assert not list(lessons.folder.rglob("*snapshots*"))
    assert lessons.provenance["metric_revisions"] == made_from.revisions()
    if "no seconds" in lessons.line():
        assert lessons.rows["seconds"].isna().all()
        records = json.loads((lessons.folder / g.RECORDS).read_text())
        assert all(record["payload"].get("seconds") is None for record in records)
