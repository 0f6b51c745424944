"""The way back out: what a method leaves is a file that plain torch and torchvision load, in the form in which it came."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpointtools import CLASSES, NAME, Read, network
from picturetools import make_folder
from safetensors.torch import load_file

from unlearn_core.cli import main
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.export import TRAINING_ON, export
from unlearn_core.results.reader import model_of, scenario_data
from unlearn_core.store import Store
from unlearn_core.training import predict

ROOT = Path(__file__).parents[2]
PLAIN = '''
import json, sys, numpy as np, torch
for name, arguments in {"nms": "Tensor a, Tensor b, float c", "qnms": "Tensor a, Tensor b, float c"}.items():
    torch.library.define(f"torchvision::{name}", f"({arguments}) -> Tensor")  # a CPU-only torch has them not
import torchvision

def network(file, about, wrapped):
    """As a stranger's own code loads it: the dictionary's key, the data-parallel wrapper, strict names."""
    net = torchvision.models.get_model(about["architecture"], num_classes=len(about["classes"]))
    theirs = torch.nn.DataParallel(net) if wrapped else net
    if file.endswith(".safetensors"):
        from safetensors.torch import load_file
        theirs.load_state_dict(load_file(file), strict=True)
    else:
        theirs.load_state_dict(torch.load(file, weights_only=True)["state_dict"], strict=True)
    mean, std = (torch.tensor([float(v) for v in part.split(",")]).view(3, 1, 1) for part in about["normalise"].split("/"))
    def run(pixels):
        x, side = pixels / 255, about["size"]
        if x.shape[-1] != side:
            x = torch.nn.functional.interpolate(x, (side, side), mode="bilinear", antialias=True)
        return net.eval()((x - mean) / std)
    return run

for file, pixels, out, wrapped in json.load(open(sys.argv[1])):
    run = torch.export.load(file).module() if file.endswith(".pt2") else network(file, json.load(open(file + ".json")), wrapped)
    x = torch.from_numpy(np.load(pixels))
    with torch.no_grad():
        np.save(out, np.concatenate([run(x[:7]).numpy(), run(x[7:]).numpy()]))
assert not [name for name in sys.modules if name.startswith("unlearn_core")]
'''


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))
    # How soon F is learnt again is not what is looked at here, and takes a full-width network longer than all the rest.
    monkeypatch.setattr("unlearn_core.evaluation.relearning.MAX_STEPS", 1)


def elsewhere(place: Path, files: list[tuple[Path, np.ndarray]], wrapped: bool = False) -> list[np.ndarray]:
    """The logits that a process says for each file and its pixels; it knows nothing of this project."""
    jobs = []
    for k, (file, pixels) in enumerate(files):
        np.save(place / f"pixels-{k}.npy", pixels)
        jobs.append([str(file), str(place / f"pixels-{k}.npy"), str(place / f"logits-{k}.npy"), wrapped])
    (place / "plain.py").write_text(PLAIN)
    (place / "jobs.json").write_text(json.dumps(jobs))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, str(place / "plain.py"), str(place / "jobs.json")]
    subprocess.run(command, check=True, cwd=place, env=environment, timeout=300)
    return [np.load(out) for _, _, out, _ in jobs]


def quick(*arguments: str) -> list[str]:
    return ["--engine", "inline", "--amount", "6", "--regularity", "0", "--discovery", "1", *arguments]


def logits_of(store: Store, scenario: Any, spec: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Test pixels, the app's stored logits, and those of the model that the app opens."""
    arena = scenario_data(scenario)
    stored = store.arrays(scenario.run_key(spec), "logits")["test"]
    return arena.test.inputs.numpy(), np.array(stored), predict(model_of(store, scenario, spec), arena.test).numpy()


def test_a_healed_checkpoint_leaves_as_it_came_and_says_the_same_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A training state of a data-parallel network goes in; three forms lie side by side then, and a stranger loads them."""
    photos, state = make_folder(tmp_path / "photos", train=12), network().state_dict()
    given = {f"module.{name}": value for name, value in state.items()}
    torch.save({"state_dict": given, "epoch": 3, "optimizer": {"state": {0: torch.zeros(2)}}}, tmp_path / "mine.pt")
    came = ["--data", str(photos), "--checkpoint", str(tmp_path / "mine.pt"), "--architecture", NAME]
    more = ["--input-size", "40", "--normalise", "0.5,0.4,0.3/0.25,0.2,0.3", "--set", "rem.epochs=1"]
    outs = [tmp_path / f"healed{suffix}" for suffix in (".pt", ".safetensors", ".pt2")]
    for out in outs:
        assert main(["export", *came, *more, *quick("--out", str(out), *(["--json"] if out == outs[0] else []))]) == 0
        if out == outs[0]:
            about = json.loads(capsys.readouterr().out)
    said = capsys.readouterr().out
    assert TRAINING_ON in said
    assert "As the checkpoint came: precision float32, under 'state_dict', names beginning with 'module.'." in said
    assert "Not written again: optimizer." in said
    assert {p.name for p in tmp_path.glob("healed*")} == {p.name + end for p in outs for end in ("", ".json")}
    written = {out.suffix: json.loads(Path(f"{out}.json").read_text()) for out in outs}
    assert written[".pt"] == {k: v for k, v in about.items() if k not in ("files", "checkpoint")}
    assert (written[".pt"]["architecture"], written[".pt"]["size"], written[".pt"]["classes"]) == (NAME, 40, list(CLASSES))
    assert (written[".pt2"]["form"], written[".safetensors"]["form"]) == ("torch.export", "state_dict")
    assert about["checkpoint"]["train_images"] == 36

    whole = torch.load(outs[0], weights_only=True)
    assert (list(whole), whole["epoch"], list(whole["state_dict"])) == (["epoch", "state_dict"], 3, list(given))
    healed = load_file(outs[1])
    assert all(torch.equal(healed[k], v) for k, v in whole["state_dict"].items())
    assert all(healed[k].shape == v.shape and healed[k].dtype == v.dtype for k, v in given.items())
    assert any(not torch.equal(healed[k], v) for k, v in given.items())
    assert Read(outs[1]).full["size"] == 40  # it comes in again by itself, because the file says what it is

    overrides: dict[str, Any] = {
        "dataset.data": str(photos), "model.weights": str(tmp_path / "mine.pt"), "model.architecture": NAME,
        "model.size": 40, "model.normalise": "0.5,0.4,0.3/0.25,0.2,0.3",
    }  # fmt: skip
    scenario = make_scenario("images", regularity=0.0, amount=6, discovery=1.0, model="torchvision", overrides=overrides)
    assert scenario.key == written[".pt"]["scenario"]
    pixels, stored, opened = logits_of(Store.open(), scenario, make_method("rem", scenario, {"epochs": 1}))
    for logits in elsewhere(tmp_path, [(out, pixels) for out in outs], wrapped=True):
        assert np.abs(logits - opened).max() <= 5e-5
        assert np.abs(logits - stored).max() <= 1e-5
    (tmp_path / "mine.pt").unlink()
    plain = export(Store.open(), scenario, make_method("rem", scenario, {"epochs": 1}), ".pt")
    assert list(torch.load(io.BytesIO(plain.data), weights_only=True)) == list(state)
    assert "The checkpoint is not where it was" in plain.about["as_it_came"]


NATIVE: list[tuple[str, str, dict[str, Any]]] = [
    ("cnn", ".pt2", {"dataset.channels": "grey"}),
    ("vit", ".pt2", {"model.width": 16, "model.depth": 1, "model.patch": 8}),
    ("resnet9", ".pt2", {"model.width": 0.0625}),
    ("resnet18", ".safetensors", {"model.width": 1.0, "model.stem": "imagenet"}),
]


def test_any_other_network_becomes_an_archive_or_torchvision_s_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos, files, expected = make_folder(tmp_path / "photos", train=12), [], []
    for k, (model, suffix, params) in enumerate(NATIVE):
        sets: dict[str, Any] = {"training.epochs": 1, "dataset.size": 32, "training.augment": False, **params}
        out = tmp_path / f"healed-{k}{suffix}"
        options = [f"--set={name}={value}" for name, value in sets.items()]
        method = "rem" if model == "cnn" else "finetune"  # redirect channels are dropped where there were some
        command = ["export", "--data", str(photos), "--model", model, *options, f"--set={method}.epochs=1", "--method", method]
        assert main([*command, *quick("--out", str(out))]) == 0, capsys.readouterr().err
        sets["dataset.data"] = str(photos)
        scenario = make_scenario("images", regularity=0.0, amount=6, discovery=1.0, model=model, overrides=sets)
        pixels, stored, _ = logits_of(Store.open(), scenario, make_method(method, scenario, {"epochs": 1}))
        files.append((out, pixels))
        expected.append(stored)
    for said, stored, case in zip(elsewhere(tmp_path, files), expected, NATIVE, strict=True):
        # Of the largest logit: float32 sums in another order differ by a few units in the last place of that.
        assert np.abs(said - stored).max() <= 1e-5 * max(1.0, float(np.abs(stored).max())), case


def test_nothing_is_overwritten_and_forms_that_cannot_be_are_said_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["export", "--dataset", "digits", "--method", "finetune", "--set=training.epochs=1", "--set=finetune.epochs=1"]
    (tmp_path / "there.pt2").write_text("mine")
    (tmp_path / "other.pt2.json").write_text("mine")
    for out, sentence in [
        ("there.pt2", "is there already; --force"),
        ("other.pt2", "is there already; --force"),
        ("gone/a.pt2", "does not exist"),
        ("a.onnx", "A model is written as"),
        ("a.safetensors", "none of torchvision's"),
    ]:
        assert main([*base, *quick("--out", str(tmp_path / out))]) == 2
        assert sentence in capsys.readouterr().err.strip().splitlines()[-1]
    assert (tmp_path / "there.pt2").read_text() == "mine"
    assert not Store.open(tmp_path / "store").find("run")
    assert main([*base, *quick("--out", str(tmp_path / "there.pt2"), "--force")]) == 0
    assert (tmp_path / "there.pt2").stat().st_size > 1000
    assert {p.name for p in tmp_path.iterdir()} == {"there.pt2", "there.pt2.json", "other.pt2.json", "store"}


def test_the_sentence_beside_every_export_says_what_was_measured() -> None:
    rows = json.loads((ROOT / "benchmarks" / "results" / "training_on.json").read_text())["rows"]
    means = {name: np.mean([row["healed_x_utility"] for row in rows[name]]) for name in rows}
    assert f"fell from {means['healed']:.2f} to {means['trained_on']:.2f} in three epochs" in TRAINING_ON
    assert means["trained_on"] < means["healed"] - 0.3  # it undoes the healing
    assert means["trained_clean"] > means["healed"] - 0.05  # and nothing comes back where the rest was taken out
