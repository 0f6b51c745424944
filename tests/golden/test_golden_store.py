"""The golden store, written by the code of 27 November 2026: whatever comes later opens it and reads all that it holds.

Runs stay readable for ever, but what counts as a result of today is decided by the revision of a method's code. Where that
was raised, the old run keeps its key, record, arrays and model; the new code asks for another key, so `run`, `sweep`,
`discover` and `export` compute anew, and `results` and the heatmap leave the old row out, because two revisions in one table
would be taken for each other. The tests here therefore hold every record whatever its revision; those of commands
(``test_golden_commands.py``) hold the rows of methods whose revision is still the stored one.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch
from goldencommands import SET_NAME, pictured, plan_pictures
from goldentools import copy_store
from safetensors.numpy import load_file

from unlearn_core.evaluation import observe
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.presets import make_scenario
from unlearn_core.results.reader import model_of, rounds_of, scenario_data
from unlearn_core.specs import MethodSpec, Scenario
from unlearn_core.store import Record, Store
from unlearn_core.views.boundary.data import stored_frames
from unlearn_core.views.boundary.plane import plane_of
from unlearn_core.views.boundary.stored import stored_decision_map, stored_plane
from unlearn_core.views.embedding.data import stored_embedding

KINDS = {
    "boundary",
    "channels",
    "embedding",
    "field",
    "forget_content",
    "forget_set",
    "measured",
    "original",
    "plane",
    "reference_models",
    "regularity",
    "run",
    "strengths",
}
WRITTEN = "SELECT key, kind, spec, payload, environment, files, created FROM records ORDER BY created, key"


def scenario_of(record: Record, folder: Path) -> Scenario:
    """The scenario of a record, with images where they lie today."""
    data = record.spec["scenario"]
    if data["dataset"]["name"] == "images":
        data = data | {"dataset": {**data["dataset"], "params": data["dataset"]["params"] | {"data": str(folder / "images")}}}
    return Scenario.parse(data)


def pictured_as_stored(revisions: dict[str, int]) -> tuple[Scenario, MethodSpec]:
    scenario, spec = pictured()
    return scenario, spec.model_copy(update={"revision": revisions[spec.name]})


def test_every_record_is_read_as_it_was_written(store: Store, as_written: sqlite3.Connection) -> None:
    rows = as_written.execute(WRITTEN).fetchall()
    found = store.find()
    assert {row[1] for row in rows} >= KINDS
    assert [record.key for record in found] == [row[0] for row in rows]
    for record, (_, kind, spec, payload, environment, files, created) in zip(found, rows, strict=True):
        assert (record.kind, record.spec, record.payload) == (kind, json.loads(spec), json.loads(payload))
        assert record.environment == json.loads(environment)
        assert record.created.timestamp() == pytest.approx(created, abs=1e-3)
        assert record.arrays == tuple(entry["name"] for entry in json.loads(files))
        assert store.get(record.key) == record


def test_every_array_is_read_as_it_was_written(store: Store, as_written: sqlite3.Connection, folder: Path) -> None:
    count = 0
    for key, files in as_written.execute("SELECT key, files FROM records"):
        for entry in json.loads(files):
            written, read = load_file(folder / "as-written" / "artifacts" / entry["path"]), store.arrays(key, entry["name"])
            assert written.keys() == read.keys()
            assert all(np.array_equal(written[name], read[name]) and written[name].dtype == read[name].dtype for name in read)
            count += 1
    assert count > 80


def test_every_failure_is_read_as_it_was_written(store: Store, as_written: sqlite3.Connection) -> None:
    rows = as_written.execute("SELECT key, kind, message, detail FROM failures").fetchall()
    assert [row[1:3] for row in rows] == [("original", "The model diverged: its outputs are not finite numbers.")]
    for key, *rest in rows:
        failure = store.failure(key)
        assert failure is not None
        assert [failure.kind, failure.message, failure.detail] == rest
        assert "UserError" in failure.detail


def test_specs_of_runs_and_originals_still_have_their_keys(store: Store, folder: Path) -> None:
    runs = store.find("run")
    assert len(runs) > 20
    for record in runs:
        scenario, spec = scenario_of(record, folder), MethodSpec.parse(record.spec["method"])
        assert scenario.run_key(spec) == record.key, record.spec
        assert store.has([scenario.original_key]) == {scenario.original_key}
    assert {scenario_of(record, folder).original_key for record in runs} == {record.key for record in store.find("original")}


def test_every_stored_model_says_what_it_said(store: Store, folder: Path) -> None:
    for record in [*store.find("original"), *store.find("run")]:
        spec = MethodSpec.parse(record.spec["method"]) if record.kind == "run" else None
        scenario = scenario_of(record, folder)
        said = observe(model_of(store, scenario, spec), scenario_data(scenario))
        for name, logits in store.arrays(record.key, "logits").items():
            assert np.allclose(getattr(said, name).numpy(), logits, rtol=1e-3, atol=1e-3), (record.key, name)


def test_every_round_of_a_run_is_a_model(store: Store, folder: Path) -> None:
    with_rounds = 0
    for record in store.find("run"):
        spec, scenario = MethodSpec.parse(record.spec["method"]), scenario_of(record, folder)
        rounds = rounds_of(store, scenario, spec)
        assert {point["round"] for point in record.payload["trajectory"]} <= set(rounds)
        with_rounds += bool(rounds)
        if rounds:
            last = model_of(store, scenario, spec, rounds[-1])
            assert all(torch.isfinite(value).all() for value in last.state_dict().values())
    assert with_rounds > 15


def test_stages_of_pictures_still_have_their_keys(
    store: Store, as_written: sqlite3.Connection, stored_revisions: dict[str, int]
) -> None:
    stages = plan_pictures(store, *pictured_as_stored(stored_revisions))
    kinds = dict(as_written.execute("SELECT key, kind FROM records"))
    assert [(stage.kind, stage.key) for stage in stages if kinds.get(stage.key) != stage.kind] == []
    assert len(stages) >= 9


def test_pictures_are_found_where_pages_look_for_them(store: Store, stored_revisions: dict[str, int]) -> None:
    scenario, spec = pictured_as_stored(stored_revisions)
    plane = plane_of(scenario)
    frames = stored_frames(store, scenario, spec, plane)
    assert frames is not None
    assert list(frames.rounds) == [0, *rounds_of(store, scenario, spec)]
    embedding = stored_embedding(store, scenario, [spec], "pca")
    assert embedding is not None
    assert len(embedding.models) == 2
    assert all(stored_decision_map(store, scenario, model, plane, 24) is not None for model in (None, spec))
    digits = make_scenario("digits", overrides={"model.width": 4, "training.epochs": 1})
    assert stored_plane(store, digits, (5, 17, 40)) is not None


def test_named_sets_keep_their_history(store: Store) -> None:
    sets = NamedSets(store, pictured()[0].sets_key)
    edited, untouched = sets.all()
    assert [(c.number, c.name, c.size, c.what, c.before, c.removed) for c in edited.history] == [
        (0, "Draft", 3, "made", None, False),
        (1, "Draft", 5, "two more", 0, False),
        (2, "Draft", 2, "a mistake", 1, False),
        (3, "Draft", 5, "back to “two more”", 0, False),
        (4, SET_NAME, 5, "renamed from Draft", 3, False),
    ]
    assert sets.now(edited) == ForgetSet((3, 5, 8, 13, 21), (34,), {}, {5: "seen by eye"})
    contents = [sets.content(change.content) for change in edited.history[:3]]
    assert [content and content.indices for content in contents] == [(3, 5, 8), (3, 5, 8, 13, 21), (3, 5)]
    assert (untouched.name, sets.now(untouched).indices) == ("Untouched", (10, 11, 12))
    assert [one.name for one in sets.all(removed=True)] == ["Not needed"]


def test_history_goes_on_in_a_store_of_then(tmp_path: Path) -> None:
    sets = NamedSets(Store.open(copy_store(tmp_path / "own")), pictured()[0].sets_key)
    back = sets.undo(sets.get(SET_NAME).id)
    assert (back.name, len(back), len(back.history)) == ("Draft", 5, 6)
    (gone,) = sets.all(removed=True)
    assert sets.now(sets.undo(gone.id)).indices == (1, 2)
