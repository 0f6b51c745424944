"""The GPU command, whole, on a processor with a small part of everything: what it writes, where it stops, how it goes on."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.measure.gpu import cells, command, speed
from benchmarks.measure.gpu.images import NoData, read
from benchmarks.measure.gpu.plan import CHOOSE, plan
from benchmarks.measure.gpu.sizes import Sizes

ROOT = Path(__file__).parents[2]
SCALE = 0.004
SIDE = 24
CLASSES = [f"class{k}" for k in range(10)]
FIELDS = {
    "method", "values", "regularity", "discovery", "seed", "healed", "utility", "healed_x_utility", "memorised",
    "forget_accuracy", "seconds", "peak_memory", "device", "torch", "revision", "params",
}  # fmt: skip


def picture(label: int, number: int) -> bytes:
    """A JPEG of a class's colour under noise."""
    rng = np.random.default_rng([label, number])
    pixels = rng.integers(0, 60, (SIDE, SIDE, 3)) + np.array([20 * label, 200 - 20 * label, 90])
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 training and 100 test images, as the archive of the photographs holds them."""
    path = tmp_path_factory.mktemp("data") / "small.tar.xz"
    with tarfile.open(path, "w:xz") as archive:
        for half, each in (("train", 20), ("test", 10)):
            for label, name in enumerate(CLASSES):
                for number in range(each):
                    content = picture(label, number + 100 * (half == "test"))
                    member = tarfile.TarInfo(f"{half}/{name}/{number:04}.jpg")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return path


def call(archive: Path, out: Path, *more: str, minutes: float = 30.0) -> dict[str, Any]:
    options = ["--minutes", str(minutes), "--out", str(out), "--data", str(archive), "--device", "cpu", "--workers", "1"]
    assert command.main([*options, "--scale", str(SCALE), *more]) == 0
    return json.loads((out / "gpu.json").read_text())


@pytest.fixture(scope="module")
def whole(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The whole plan, in which one item raises."""
    patch = pytest.MonkeyPatch()

    def broken(bench: object) -> dict[str, Any]:
        raise RuntimeError("no such instruction")

    patch.setattr(speed, "peak", broken)
    out = tmp_path_factory.mktemp("out")
    found = call(archive, out)
    patch.undo()
    return out, found


def test_everything_is_measured_in_order(whole: tuple[Path, dict[str, Any]]) -> None:
    _, found = whole
    items = plan(Sizes(SCALE))
    assert [entry["key"] for entry in found["items"]] == [item.key for item in items]
    assert found["left"] == []
    assert found["running"] is None
    status = {entry["key"]: entry["status"] for entry in found["items"]}
    assert {key for key, its in status.items() if its != "done"} == {"speed/peak", "speed/epoch/compiled"}
    assert status["speed/epoch/compiled"] == "skipped"


def test_an_item_that_raises_is_noted_and_the_rest_goes_on(whole: tuple[Path, dict[str, Any]]) -> None:
    _, found = whole
    broken = next(entry for entry in found["items"] if entry["key"] == "speed/peak")
    assert broken["status"] == "failed"
    assert broken["error"] == "RuntimeError: no such instruction"
    epoch = next(entry for entry in found["items"] if entry["key"] == "speed/epoch/eager")["result"]
    assert epoch["share_of_peak"] is None
    assert epoch["flops"] == pytest.approx(epoch["step_flops"] / epoch["step_seconds"])


def test_every_run_is_a_row(whole: tuple[Path, dict[str, Any]]) -> None:
    _, found = whole
    wanted = [item for item in plan(Sizes(SCALE)) if item.kind == "run"]
    assert [row["key"] for row in found["rows"]] == [item.key for item in wanted]
    for row in found["rows"]:
        assert row.keys() >= FIELDS
        assert row["healed_x_utility"] == pytest.approx(row["healed"] * row["utility"])
        assert row["device"] == "cpu"
        assert 0 <= row["memorised"] <= 1
    assert {(row["method"], row["values"]) for row in found["rows"]} >= {
        ("rem", "paper"), ("rem", "tuned"), ("rem_no_redirect", "paper"), ("retrain", "paper"), ("oracle_retrain", "paper"),
        ("npo", "paper"), ("scrub", "paper"), ("potion", "paper"), ("bad_teacher", "paper"), ("rem_discover", "tuned"),
    }  # fmt: skip
    chosen = next(entry for entry in found["items"] if entry["key"] == CHOOSE)["result"]
    assert chosen["score"] == max(one["score"] for one in chosen["tried"])
    tuned = next(row for row in found["rows"] if (row["method"], row["values"]) == ("rem", "tuned"))
    assert tuned["params"].items() >= chosen["params"].items()
    oracle = next(row for row in found["rows"] if row["method"] == "oracle_retrain")
    assert oracle["discovery"] is None


def test_a_processor_agrees_with_itself_and_stacked_networks_with_single_ones(whole: tuple[Path, dict[str, Any]]) -> None:
    _, found = whole
    results = {entry["key"]: entry.get("result") for entry in found["items"]}
    assert results["agree"]["agrees"] is True
    assert results["agree"]["difference"]["training"] <= 1e-6
    stacked = results["speed/small/stacked"]
    assert stacked["agrees"]["within"] is True
    assert stacked["times_plain"] > 0


def test_going_on_computes_what_is_missing_and_nothing_twice(
    whole: tuple[Path, dict[str, Any]], archive: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out, before = whole
    later = next(row for row in before["rows"] if row["method"] == "npo")
    cut = json.loads(json.dumps(before))
    cut["items"] = [entry for entry in cut["items"] if entry["key"] != later["key"]]
    cut["rows"] = [row for row in cut["rows"] if row["key"] != later["key"]]
    have = tmp_path / "gpu.json"
    have.write_text(json.dumps(cut))
    for path in out.glob("originals-*.npz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())

    def again(*_: object) -> dict[str, Any]:
        raise AssertionError("an original was trained that was there")

    monkeypatch.setattr(cells, "train_original", again)
    ran: list[str] = []
    run_method = cells.run_method
    monkeypatch.setattr(cells, "run_method", lambda bench, item: (ran.append(item.key), run_method(bench, item))[1])
    found = call(archive, tmp_path / "next", "--have", str(have))
    assert ran == [later["key"]]
    assert {row["key"] for row in found["rows"]} == {row["key"] for row in before["rows"]}
    mine = next(row for row in found["rows"] if row["key"] == later["key"])
    assert mine["healed"] == later["healed"]  # from the same original, which came out of the file
    assert mine["utility"] == later["utility"]
    assert next(entry for entry in found["items"] if entry["key"] == "speed/peak")["status"] == "done"


def test_without_time_nothing_is_computed_and_what_is_there_is_written(
    whole: tuple[Path, dict[str, Any]], archive: Path, tmp_path: Path
) -> None:
    out, before = whole
    found = call(archive, tmp_path / "none", minutes=0.0)
    assert found["items"] == []
    assert found["left"] == [item.key for item in plan(Sizes(SCALE))]
    kept = call(archive, tmp_path / "kept", "--have", str(out / "gpu.json"), minutes=0.0)
    assert kept["rows"] == before["rows"]
    assert kept["left"] == ["speed/peak"]


def test_what_does_not_belong_together_is_refused(
    whole: tuple[Path, dict[str, Any]], archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, before = whole
    usual = ["--out", str(tmp_path / "o"), "--data", str(archive), "--device", "cpu", "--workers", "1", "--minutes", "1"]
    assert command.main([*usual, "--scale", "0.01", "--have", str(out / "gpu.json")]) == 2
    assert "don't mix" in capsys.readouterr().err
    assert command.main([*usual[2:], "--out", str(out), "--scale", str(SCALE)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert json.loads((out / "gpu.json").read_text()) == before
    assert command.main([*usual, "--scale", "0"]) == 2
    assert command.main([*usual, "--scale", str(SCALE), "--have", str(tmp_path / "none.json")]) == 2
    assert "no file" in capsys.readouterr().err


def test_what_killed_its_process_is_left_alone(archive: Path, whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    _, before = whole
    victim = before["rows"][0]["key"]
    cut = json.loads(json.dumps(before)) | {"running": victim}
    cut["items"] = [entry for entry in cut["items"] if entry["key"] not in (victim, "speed/peak")]
    cut["rows"] = cut["rows"][1:]
    have = tmp_path / "gpu.json"
    have.write_text(json.dumps(cut))
    found = call(archive, tmp_path / "o", "--have", str(have), "--most", "12")
    entry = next(entry for entry in found["items"] if entry["key"] == victim)
    assert entry["status"] == "failed"
    assert entry["died"] is True
    assert found["left"] == [victim]


def test_a_process_that_lost_its_gpu_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def fake(arguments: list[str], cwd: Path) -> int:
        calls.append(arguments)
        (tmp_path / "gpu.json").write_text("{}")
        return command.LOST if len(calls) == 1 else 0

    monkeypatch.setattr(subprocess, "call", fake)
    assert command.main(["--out", str(tmp_path), "--data", str(tmp_path / "x.tar.xz"), "--minutes", "8"]) == 0
    assert len(calls) == 2
    assert "--have" not in calls[0]
    assert calls[1][calls[1].index("--have") + 1] == str(tmp_path / "gpu.json")
    assert "--in-process" in calls[0]


def test_images_are_read_from_an_archive_as_from_a_folder(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as files:
        files.extractall(tmp_path / "unpacked", filter="data")
    one, other = (read(path, (50, 20), workers=1) for path in (archive, tmp_path / "unpacked"))
    assert one.train.pixels.shape == (50, 3, SIDE, SIDE)
    assert one.test.pixels.shape == (20, 3, SIDE, SIDE)
    assert one.classes == tuple(CLASSES)
    assert (one.train.pixels == other.train.pixels).all()
    assert one.train.labels.tolist() == sorted(list(range(10)) * 5)
    # Every class has its colour: red rises with the label, green falls.
    red = [one.train.pixels[one.train.labels == k, 0].mean() for k in range(10)]
    assert red == sorted(red)
    with pytest.raises(NoData, match=r"train/class0 has 20 images, and 30 are needed"):
        read(archive, (300, 20), workers=1)
    with pytest.raises(NoData, match="nothing at"):
        read(tmp_path / "none", (1, 1))


def test_it_needs_nothing_but_the_compute_path(archive: Path, tmp_path: Path) -> None:
    code = f"""
import sys
BLOCKED = 'streamlit sqlalchemy dask distributed typer plotly rich umap platformdirs safetensors cryptography pandas'.split()
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in BLOCKED:
            raise ImportError(name)
sys.meta_path.insert(0, Block())
from benchmarks.measure.gpu import compiled
from benchmarks.measure.gpu.command import main
from unlearn_core import datasets, evaluation, methods, models
from unlearn_core.specs import DatasetSpec
assert len(datasets.load_dataset(DatasetSpec(name='digits'), 0).train) == 1437
assert all(len(part.registry) > 3 for part in (datasets, evaluation, methods, models))
status = main(['--minutes', '10', '--out', {str(tmp_path)!r}, '--data', {str(archive)!r}, '--device', 'cpu', '--workers', '2',
               '--scale', '{SCALE}', '--most', '2'])
assert not [name for name in (*BLOCKED, 'sklearn') if name in sys.modules]
raise SystemExit(status)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(json.loads((tmp_path / "gpu.json").read_text())["items"]) == 2
