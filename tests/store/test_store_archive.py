"""``store export`` and ``import``: the same comes out again, damaged and hostile archives change nothing, writers may go on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from postgresserver import Server
from storetools import artifacts_of, damage, files
from upkeeptools import ask_store, make_older, plant, plant_run, snapshot

from unlearn_core.cli import main
from unlearn_core.engine.lease import has_ended
from unlearn_core.errors import UserError
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.store import Store
from unlearn_core.store.upkeep import export_store, import_archive, verify
from unlearn_core.store.upkeep.lineage import builds_on

ROOT = Path(__file__).parents[2]


def test_everything_comes_out_again(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    plant(store)
    plant(store, "waves", seed=3, method="retrain")
    sets = NamedSets(store, make_scenario("blobs").sets_key)
    made = sets.create("ours", ForgetSet((3, 4)))
    exported = export_store(store, tmp_path / "all.zip")
    assert (exported.records, exported.left_out) == (len(store.find()), ())
    server: Server = request.getfixturevalue("server")
    for place in (tmp_path / "sqlite", server.new_store(tmp_path / "postgresql")):
        other = Store.open(place)
        done = import_archive(other, tmp_path / "all.zip")
        assert (done.records, done.files, done.same, done.other) == (exported.records, exported.files, 0, [])
        assert snapshot(other) == snapshot(store)
        assert [record.created for record in other.find()] == [record.created for record in store.find()]
        assert NamedSets(other, make_scenario("blobs").sets_key).get("ours").id == made.id
        assert len(other.runs.find(dataset="waves")) == 1
        assert verify(other, has_ended).findings == []
        other.close()


def test_what_is_there_stays(store: Store, archive: Path, other: Store, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = make_scenario("blobs")
    mine = plant_run(other, scenario, make_method("finetune", scenario), healed=0.9)
    done = ask_store(capsys, other, "import", str(archive))
    assert (done["records"], done["same"], done["other"]) == (2, 0, [mine])
    kept = other.get(mine)
    assert kept is not None
    assert kept.payload["metrics"] == {"healed": 0.9}
    again = ask_store(capsys, other, "import", str(archive))
    assert (again["records"], again["same"], again["other"]) == (0, 2, [mine])
    assert main(["store", "import", str(archive), "--store", other.location]) == 0
    assert f"1 were there with another content, which stayed: {mine}." in capsys.readouterr().out


def test_the_same_result_that_took_longer_is_the_same(store: Store, archive: Path, other: Store) -> None:
    scenario = make_scenario("blobs")
    found = store.get(scenario.original_key)
    assert found is not None
    slow = found.payload | {"seconds": 99.0}
    kept = {name: store.arrays(found.key, name) for name in found.arrays}
    other.put(found.key, "original", found.spec, slow, {"device": "elsewhere"}, kept)
    done = import_archive(other, archive)
    assert (done.records, done.same, done.other) == (2, 1, [])


def test_parts_bring_what_they_build_on(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    original, run, picture = plant(store)
    plant(store, "waves")
    scenario = make_scenario("blobs")
    retrain = plant_run(store, scenario, make_method("retrain", scenario))
    make_older(store, (original, run), 10)

    def keys(*chosen: str) -> set[str]:
        target = tmp_path / "part.zip"
        done = ask_store(capsys, store, "export", str(target), "--force", *chosen)
        with zipfile.ZipFile(target) as opened:
            found = {json.loads(line)["key"] for line in opened.read("records.jsonl").splitlines()}
        assert done["records"] == len(found)
        return found

    assert keys("--dataset", "blobs") == {original, run, picture, retrain}
    assert keys("--dataset", "blobs", "--methods", "retrain") == {original, retrain}
    assert keys("--dataset", "blobs", "--methods", "finetune", "--since", "5d") == {original, run, picture}
    assert keys("--dataset", "blobs", "--methods", "retrain", "--since", "2020-01-01") == {original, retrain}
    assert main(["store", "export", str(tmp_path / "no.zip"), "--dataset", "digits", "--store", store.location]) == 2
    assert "nothing to export" in capsys.readouterr().err
    assert not (tmp_path / "no.zip").exists()


def test_a_damaged_record_is_left_out_and_said(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    original, run, picture = plant(store)
    damage(next(path for path in files(store) if path.name.startswith(run)), "flip")
    done = ask_store(capsys, store, "export", str(tmp_path / "a.zip"))
    assert (done["records"], done["left_out"]) == (2, [run])
    other = Store.open(tmp_path / "other")
    import_archive(other, tmp_path / "a.zip")
    assert {record.key for record in other.find()} == {original, picture}


def test_an_import_that_fails_on_the_way_leaves_nothing(archive: Path, other: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills with the last file, after others were written and recorded."""
    from unlearn_core.store.upkeep import importing

    put, written = other.inside.artifacts.put, list[str]()

    def full(entry: Any, data: bytes) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(entry.path)
        put(entry, data)

    monkeypatch.setattr(importing, "_BATCH", 1)
    monkeypatch.setattr(other.inside.artifacts, "put", full)
    with pytest.raises(UserError, match=r"cannot write its files: No space left on device\.$"):
        import_archive(other, archive)
    assert len(written) == 2
    assert other.find() == []
    assert files(other) == []
    monkeypatch.undo()
    assert import_archive(other, archive).records == 3


def test_an_export_that_fails_leaves_the_old_archive(store: Store, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = archive.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(UserError, match="cannot be written: No space left"):
            export_store(store, archive)
    assert archive.read_bytes() == before
    assert [path.name for path in archive.parent.glob("archive*")] == ["archive.zip"]


WRITER = """
import sys, numpy as np
from unlearn_core.store import Store
store, me = Store.open(sys.argv[1], sweep=False), sys.argv[2]
print("here", flush=True)
for index in range(10**6):
    store.put(f"base{me}-{index}", "original", {}, {"at": index}, {}, {"w": {"a": np.full(500, index)}})
    store.put(f"run{me}-{index}", "run", {}, {"base": f"base{me}-{index}"}, {}, {"w": {"a": np.full(500, index)}})
    if index % 3 == 0:
        store.delete(f"run{me}-{index - 2}")
"""


def test_a_backup_made_while_others_write_is_whole(store: Store, tmp_path: Path) -> None:
    """Two processes write and delete all the time; whatever a backup holds is sound, and what it builds on is in it."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, store.location, me], cwd=ROOT, stdout=subprocess.PIPE)
        for me in ("a", "b")
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"here\n"
        for number in range(2):
            time.sleep(0.3)
            before = {record.key for record in store.find("original")}
            done = export_store(store, tmp_path / f"{number}.zip")
            other = Store.open(tmp_path / f"restored-{number}")
            assert import_archive(other, tmp_path / f"{number}.zip").records == done.records > 0
            found = {record.key: record for record in other.find()}
            assert before <= found.keys()
            runs = [record for record in found.values() if record.kind == "run"]
            assert {record.payload["base"] for record in runs} <= found.keys()
            checked = verify(other, has_ended)
            assert checked.findings == []
            assert checked.files == done.files == done.records
            assert all(np.array_equal(other.arrays(key, "w")["a"][:1], [int(key.rpartition("-")[2])]) for key in found)
            other.close()
        assert all(writer.poll() is None for writer in writers)
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert artifacts_of(store).is_dir()


PLAN = (
    "{dataset: blobs, regularity: [0.0, 1.0], discovery: [0.5], methods: [finetune], seeds: [0, 1], set: {training.epochs: 2}}"
)


def test_a_backup_made_during_a_sweep_is_whole(tmp_path: Path) -> None:
    """A sweep in another process; in every backup a run has its original, and everything is as the store has it in the end."""
    (tmp_path / "plan.yaml").write_text(PLAN)
    store = Store.open(tmp_path / "store")
    command = ["-m", "unlearn_core", "sweep", str(tmp_path / "plan.yaml"), "--engine", "inline", "--store", store.location]
    sweep = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = list[Path]()
    while sweep.poll() is None:
        if len(store.find()) > len(made):
            made.append(tmp_path / f"{len(made)}.zip")
            export_store(store, made[-1])
        time.sleep(0.02)
    assert sweep.returncode == 0
    assert made
    export_store(store, tmp_path / "last.zip")
    everything = snapshot(store)
    for path in (made[0], made[-1], tmp_path / "last.zip"):
        other = Store.open(path.with_suffix(""))
        import_archive(other, path)
        assert verify(other, has_ended).findings == []
        found = snapshot(other)
        assert all(everything[key] == about for key, about in found.items())
        assert path.stem != "last" or found.keys() == everything.keys()
        needed = {key for record in other.find() for key in builds_on(record.key, record.spec)}
        assert needed <= found.keys()
