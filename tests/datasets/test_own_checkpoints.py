"""Checkpoints from outside: what is taken, what is refused in one sentence with nothing executed, and the way back out."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from picturetools import make_folder
from safetensors.torch import load_file, save_file

from unlearn_core.cli import main
from unlearn_core.engine.stages import plan_runs, run_stage
from unlearn_core.errors import UserError
from unlearn_core.insight.stored import arena_of, model_of
from unlearn_core.models import _checkpoint
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter, predict
from unlearn_core.vision import torchvision

NAME = "mobilenet_v3_small"
State = dict[str, torch.Tensor]


def network(classes: int = 3) -> torch.nn.Module:
    torch.manual_seed(3)
    return torchvision().models.get_model(NAME, num_classes=classes)


@pytest.fixture(scope="module")
def state() -> State:
    return network().state_dict()


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))


def load(path: Path, expected: State) -> State:
    data = _checkpoint.read(_checkpoint.find(str(path)))
    return _checkpoint.fitted(_checkpoint.tensors(data, path.name), expected, path.name, NAME)


def same(one: State, two: State) -> bool:
    return list(one) == list(two) and all(torch.equal(one[k], two[k]) for k in one)


def test_every_usual_form_is_taken(tmp_path: Path, state: State) -> None:
    save_file(state, tmp_path / "a.safetensors")
    torch.save(state, tmp_path / "b.pt")
    torch.save({"epoch": 3, "lr": 0.1, "state_dict": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "c.pth")
    torch.save({"model": torch.nn.DataParallel(network()).state_dict()}, tmp_path / "d.bin")
    torch.save(dict(network().named_parameters()) | dict(network().named_buffers()), tmp_path / "e.pt")
    for path in sorted(tmp_path.glob("*.*")):
        found = load(path, state)
        assert same(found, state), path.name
    old = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "old.pt")
    assert same(load(tmp_path / "old.pt", state), state)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_converted(tmp_path: Path, state: State, dtype: torch.dtype) -> None:
    save_file({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}, tmp_path / "half.safetensors")
    found = load(tmp_path / "half.safetensors", state)
    assert all(found[k].dtype == v.dtype for k, v in state.items())
    assert torch.allclose(found["classifier.0.weight"], state["classifier.0.weight"], atol=1e-2)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.target}",)


class Greedy:
    def __reduce__(self) -> Any:
        return bytearray, (2**40,)


def _first(state: State) -> str:
    return next(iter(state))


def code(path: Path, state: State) -> None:
    torch.save(state | {"x": Bomb(path.parent / "executed")}, path)


def plain_pickle(path: Path, state: State) -> None:
    path.write_bytes(pickle.dumps(Bomb(path.parent / "executed")))


def whole_model(path: Path, state: State) -> None:
    torch.save(network(), path)


def greedy(path: Path, state: State) -> None:
    torch.save({"a": Greedy()}, path)


def compressed(path: Path, state: State) -> None:
    torch.save(state, path)
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))


def other_zip(path: Path, state: State) -> None:
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("a.txt", "a")


def truncated(path: Path, state: State) -> None:
    torch.save(state, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def truncated_safetensors(path: Path, state: State) -> None:
    save_file(state, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def long_header(path: Path, state: State) -> None:
    path.write_bytes((2**62).to_bytes(8, "little") + b"{" + b" " * 100)


def deep_header(path: Path, state: State) -> None:
    header = b'{"__metadata__":' + b"[" * 200_000
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def odd_notes(path: Path, state: State) -> None:
    save_file(state, path, {"architecture": "x" * 10**6, "size": "9" * 5000, "normalise": "1" * 10**5, "classes": '["ant"]'})


def large_file(path: Path, state: State) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)  # takes no room on the disk, and would in memory


def many_entries(path: Path, state: State) -> None:
    path.write_bytes(b"PK\x03\x04" + b"PK\x01\x02" * 1_000_000)


def long_pickle(path: Path, state: State) -> None:
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("archive/data.pkl", b"\x80\x02" + b"N0" * 2**24 + b"N.")


def picture(path: Path, state: State) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))


def empty(path: Path, state: State) -> None:
    path.touch()


def numbers(path: Path, state: State) -> None:
    torch.save([1, 2, 3], path)


def none_by_name(path: Path, state: State) -> None:
    torch.save({"epoch": 1}, path)


def missing(path: Path, state: State) -> None:
    save_file({k: v for k, v in state.items() if not k.startswith("features.0")}, path)


def extra(path: Path, state: State) -> None:
    save_file(state | {"surplus.weight": torch.zeros(2)}, path)


def shape(path: Path, state: State) -> None:
    save_file(state | {_first(state): torch.zeros(1, 2)}, path)


def huge(path: Path, state: State) -> None:
    torch.save(state | {_first(state): torch.zeros(1).expand(2**20, 2**20)}, path)


def classes(path: Path, state: State) -> None:
    save_file(network(7).state_dict(), path)


def not_a_number(path: Path, state: State) -> None:
    save_file(state | {_first(state): torch.full_like(state[_first(state)], float("nan"))}, path)


def infinite(path: Path, state: State) -> None:
    save_file(state | {_first(state): torch.full_like(state[_first(state)], float("inf"))}, path)


def overflowing(path: Path, state: State) -> None:
    save_file(state | {_first(state): torch.full_like(state[_first(state)], 1e300, dtype=torch.float64)}, path)


def whole_numbers(path: Path, state: State) -> None:
    save_file(state | {_first(state): state[_first(state)].long()}, path)


HOSTILE: list[tuple[Callable[[Path, State], None], str]] = [
    (code, "holds code"),
    (plain_pickle, "neither a safetensors file nor one that torch.save"),
    (whole_model, "holds code"),
    (greedy, "holds code"),
    (compressed, "compressed archive"),
    (other_zip, "not one of weights"),
    (truncated, "damaged or truncated"),
    (truncated_safetensors, "damaged or truncated"),
    (long_header, "damaged or truncated"),
    (deep_header, "damaged or truncated"),
    (odd_notes, "names other classes than the data"),
    (large_file, "larger than 1 GB"),
    (many_entries, "more than 100,000 entries"),
    (long_pickle, "lists more than any network holds"),
    (picture, "neither"),
    (empty, "is empty"),
    (numbers, "holds a list"),
    (none_by_name, "no weights by name"),
    (missing, "lacks 'features.0.0.weight', 'features.0.1.weight', 'features.0.1.bias' and 2 more"),
    (extra, "has 'surplus.weight', which the network has not"),
    (shape, r"has the shape \(1, 2\) instead of"),
    (huge, "has the shape"),
    (classes, "tells 7 classes apart, but the data have 3"),
    (not_a_number, "not finite"),
    (infinite, "not finite"),
    (overflowing, "not finite"),
    (whole_numbers, "torch.int64"),
]


@pytest.mark.parametrize(("make", "sentence"), HOSTILE, ids=[make.__name__ for make, _ in HOSTILE])
def test_what_is_refused_is_one_sentence_and_nothing_is_executed_or_stored(
    make: Callable[[Path, State], None], sentence: str, tmp_path: Path, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folder(tmp_path / "photos", train=12)
    path = tmp_path / "given.pt"
    make(path, state)
    before = sorted(tmp_path.rglob("*"))
    command = ["run", "--data", str(tmp_path / "photos"), "--checkpoint", str(path), "--architecture", NAME]
    quick = ["--engine", "inline", "--amount", "6", "--methods", "finetune", "--input-size", "32"]
    assert main([*command, *quick]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    error = next(line for line in lines if line.startswith("Error: "))
    assert lines[-1] == error
    assert error.count("Error") == 1
    import re

    assert re.search(sentence, error), error
    outside = [p for p in sorted(tmp_path.rglob("*")) if p not in before and tmp_path / "store" not in [p, *p.parents]]
    assert not outside
    assert not Store.open(tmp_path / "store").find("original")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--checkpoint", "gone.pt", "--architecture", NAME], "There is no checkpoint file"),
        (["--checkpoint", " "], "--checkpoint needs a path"),
        (["--architecture", "resnet19"], "Did you mean resnet18"),
        (["--checkpoint", "x.pt", "--model", "cnn"], "--model says cnn"),
        (["--architecture", NAME, "--set", "model.architecture=resnet18"], "Give model.architecture once"),
        (["--architecture", NAME, "--normalise", "1,2"], "A normalisation is"),
        (["--architecture", NAME, "--input-size", "-3"], "torchvision.size must be at least 0"),
    ],
)
def test_bad_options_are_one_line(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--dataset", "digits", "--engine", "inline", *arguments]) == 2
    err = capsys.readouterr().err.strip()
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_a_checkpoint_without_its_architecture_asks_for_it_unless_it_says_so(tmp_path: Path, state: State) -> None:
    save_file(state, tmp_path / "a.safetensors")
    with pytest.raises(UserError, match="needs the name of its architecture"):
        make_scenario("digits", model="torchvision", overrides={"model.weights": str(tmp_path / "a.safetensors")})
    noted = {"architecture": NAME, "size": "40", "normalise": "none"}
    save_file(state, tmp_path / "b.safetensors", noted)
    made = make_scenario("digits", model="torchvision", overrides={"model.weights": str(tmp_path / "b.safetensors")})
    assert {k: made.model.params[k] for k in ("architecture", "size", "normalise")} == noted | {"size": 40}


def test_what_a_checkpoint_holds_makes_the_key_not_where_it_lies(tmp_path: Path, state: State) -> None:
    def keyed(path: Path) -> str:
        overrides = {"model.weights": str(path), "model.architecture": NAME}
        return make_scenario("digits", model="torchvision", overrides=overrides).original_key

    (tmp_path / "elsewhere").mkdir()
    for name in ("a.pt", "elsewhere/b.pt"):
        torch.save(state, tmp_path / name)
    torch.save(network(4).state_dict(), tmp_path / "c.pt")
    # torch.save writes the file's own name into it, so the copy is made of bytes.
    (tmp_path / "elsewhere/b.pt").write_bytes((tmp_path / "a.pt").read_bytes())
    assert keyed(tmp_path / "a.pt") == keyed(tmp_path / "elsewhere/b.pt") != keyed(tmp_path / "c.pt")


def test_a_checkpoint_that_changes_after_planning_is_noticed(tmp_path: Path, state: State) -> None:
    make_folder(tmp_path / "photos", train=12)
    save_file(state, tmp_path / "a.safetensors")
    given: dict[str, Any] = {"dataset.data": str(tmp_path / "photos"), "dataset.size": 32, "model.architecture": NAME}
    scenario = make_scenario(
        "images", amount=6, model="torchvision", overrides=given | {"model.weights": str(tmp_path / "a.safetensors")}
    )
    stages = plan_runs(scenario, [])
    save_file({k: v + 1 for k, v in state.items()}, tmp_path / "a.safetensors")
    with pytest.raises(UserError, match="has changed since this was planned"):
        run_stage(stages[0], Store.open(tmp_path / "store"), "cpu", SilentReporter())


def quick(*arguments: str) -> list[str]:
    return ["--engine", "inline", "--amount", "6", "--regularity", "0", "--discovery", "1", *arguments]


def logits_of(store: Store, scenario: Any, spec: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Test pixels, the app's stored logits, and those of the model that the app opens."""
    arena = arena_of(scenario)
    stored = store.arrays(scenario.run_key(spec), "logits")["test"]
    return arena.test.inputs.numpy(), np.array(stored), predict(model_of(store, scenario, spec), arena.test).numpy()


PLAIN_TORCHVISION = """
import json, sys, numpy as np, torch
for name, arguments in {"nms": "Tensor a, Tensor b, float c", "qnms": "Tensor a, Tensor b, float c"}.items():
    torch.library.define(f"torchvision::{name}", f"({arguments}) -> Tensor")  # a CPU-only torch has them not
import torchvision
about = json.load(open(sys.argv[2]))
net = torchvision.models.get_model(about["architecture"], num_classes=len(about["classes"]))
if sys.argv[1].endswith(".safetensors"):
    from safetensors.torch import load_file
    net.load_state_dict(load_file(sys.argv[1]), strict=True)
else:
    net.load_state_dict(torch.load(sys.argv[1], weights_only=True), strict=True)
mean, std = (torch.tensor([float(v) for v in part.split(",")]).view(3, 1, 1) for part in about["normalise"].split("/"))
x, side = torch.from_numpy(np.load(sys.argv[3])) / 255, about["size"]
if x.shape[-1] != side:
    x = torch.nn.functional.interpolate(x, (side, side), mode="bilinear", antialias=True)
with torch.no_grad():
    np.save(sys.argv[4], net.eval()((x - mean) / std).numpy())
assert not [name for name in sys.modules if name.startswith("unlearn_core")]
"""


def elsewhere(script: str, pixels: np.ndarray, *files: Path) -> np.ndarray:
    """The logits that a process says which knows nothing of this project; the script takes files, pixels, target."""
    place = files[0].parent
    np.save(place / "pixels.npy", pixels)
    (place / "plain.py").write_text(script)
    arguments = [str(path) for path in (*files, place / "pixels.npy", place / "logits.npy")]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run([sys.executable, str(place / "plain.py"), *arguments], check=True, cwd=place, env=environment, timeout=200)
    return np.load(place / "logits.npy")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_healed_checkpoint_leaves_as_it_came_and_says_the_same_elsewhere(
    suffix: str, tmp_path: Path, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folder(tmp_path / "photos", train=12)
    save_file(state, tmp_path / "mine.safetensors")
    came = ["--data", str(tmp_path / "photos"), "--checkpoint", str(tmp_path / "mine.safetensors"), "--architecture", NAME]
    more = ["--input-size", "40", "--normalise", "0.5,0.4,0.3/0.25,0.2,0.3", "--set", "rem.epochs=1"]
    out = tmp_path / f"healed{suffix}"
    assert main(["export", *came, *more, *quick("--out", str(out), "--json")]) == 0
    about = json.loads(capsys.readouterr().out)
    healed = load_file(out) if suffix == ".safetensors" else torch.load(out, weights_only=True)
    assert list(healed) == list(state) or sorted(healed) == sorted(state)
    assert all(healed[k].shape == v.shape and healed[k].dtype == v.dtype for k, v in state.items())
    assert any(not torch.equal(healed[k], v) for k, v in state.items())
    written = json.loads(out.with_suffix(".json").read_text())
    assert written == {k: v for k, v in about.items() if k != "files"}
    assert (written["architecture"], written["size"], written["classes"]) == (NAME, 40, ["ant", "bee", "cow"])

    overrides: dict[str, Any] = {
        "dataset.data": str(tmp_path / "photos"), "model.weights": str(tmp_path / "mine.safetensors"),
        "model.architecture": NAME, "model.size": 40, "model.normalise": "0.5,0.4,0.3/0.25,0.2,0.3",
    }  # fmt: skip
    scenario = make_scenario("images", regularity=0.0, amount=6, discovery=1.0, model="torchvision", overrides=overrides)
    assert scenario.key == written["scenario"]
    spec = make_method("rem", scenario, {"epochs": 1})
    pixels, stored, opened = logits_of(Store.open(tmp_path / "store"), scenario, spec)
    said = elsewhere(PLAIN_TORCHVISION, pixels, out, out.with_suffix(".json"))
    assert np.abs(said - opened).max() <= 1e-5
    assert np.abs(said - stored).max() <= 1e-5
    # It comes in again by itself: the safetensors file says what it is.
    if suffix == ".safetensors":
        again = ["--data", str(tmp_path / "photos"), "--checkpoint", str(out), "--methods", "finetune", "--json"]
        assert main(["run", *again, *quick("--set", "finetune.epochs=1")]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["scenario"]["model"]["params"]["size"] == 40


PLAIN_TORCH = """
import sys, numpy as np, torch
pixels = torch.from_numpy(np.load(sys.argv[2]))
run = torch.export.load(sys.argv[1]).module()
with torch.no_grad():
    np.save(sys.argv[3], np.concatenate([run(pixels[:7]).numpy(), run(pixels[7:]).numpy()]))
assert "unlearn_core" not in sys.modules
"""


@pytest.mark.parametrize(
    ("data", "model", "params"),
    [
        ("digits", "cnn", {}),
        ("digits", "vit", {"model.width": 16, "model.depth": 1}),
        ("digits", "resnet18", {"model.width": 0.0625}),
        ("photos", "torchvision", {"model.architecture": NAME, "model.normalise": "0.5,0.4,0.3/0.25,0.2,0.3"}),
        ("photos", "resnet9", {"model.width": 0.0625}),
        ("photos", "vit", {"model.width": 16, "model.depth": 1, "model.patch": 8}),
    ],
)
def test_any_other_network_becomes_an_archive_that_plain_torch_runs(
    data: str, model: str, params: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets: dict[str, Any] = {"training.epochs": 1, **params}
    from_where = ["--dataset", data]
    if data == "photos":
        sets |= {"dataset.size": 32, "training.augment": False}
        from_where = ["--data", str(make_folder(tmp_path / "photos", train=12))]
    out = tmp_path / "healed.pt2"
    options = [f"--set={k}={v}" for k, v in sets.items()]
    assert main(["export", *from_where, "--model", model, *options, "--set=rem.epochs=1", *quick("--out", str(out))]) == 0, (
        capsys.readouterr().err
    )
    if data == "photos":
        data, sets = "images", sets | {"dataset.data": str(tmp_path / "photos")}
    scenario = make_scenario(data, regularity=0.0, amount=6, discovery=1.0, model=model, overrides=sets)
    pixels, stored, _ = logits_of(Store.open(tmp_path / "store"), scenario, make_method("rem", scenario, {"epochs": 1}))
    assert np.abs(elsewhere(PLAIN_TORCH, pixels, out) - stored).max() <= 1e-5


def test_the_native_resnet18_leaves_under_torchvision_s_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folder(tmp_path / "photos", train=12)
    sets = {"dataset.size": 32, "model.width": 1.0, "model.stem": "imagenet", "training.epochs": 1, "training.augment": False}
    options = [f"--set={k}={v}" for k, v in sets.items()]
    out = tmp_path / "native.safetensors"
    command = ["export", "--data", str(tmp_path / "photos"), "--model", "resnet18", *options, "--set=finetune.epochs=1"]
    assert main([*command, *quick("--method", "finetune", "--out", str(out))]) == 0, capsys.readouterr().err
    overrides: dict[str, Any] = {"dataset.data": str(tmp_path / "photos"), **sets}
    scenario = make_scenario("images", regularity=0.0, amount=6, discovery=1.0, model="resnet18", overrides=overrides)
    pixels, stored, _ = logits_of(Store.open(tmp_path / "store"), scenario, make_method("finetune", scenario, {"epochs": 1}))
    said = elsewhere(PLAIN_TORCHVISION, pixels, out, out.with_suffix(".json"))
    assert np.abs(said - stored).max() <= 1e-5


def test_nothing_is_overwritten_and_forms_that_cannot_be_are_said_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["export", "--dataset", "digits", "--method", "finetune", "--set=training.epochs=1", "--set=finetune.epochs=1"]
    (tmp_path / "there.pt2").write_text("mine")
    (tmp_path / "other.json").write_text("mine")
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
    assert {p.name for p in tmp_path.iterdir()} == {"there.pt2", "there.json", "other.json", "store"}
