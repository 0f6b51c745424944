"""Checkpoints from outside: what is taken, what is refused in one sentence with nothing executed, and the way back out."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpointtools import NAME, Read, State, network
from picturetools import make_folder
from safetensors.torch import save_file

from unlearn_core.cli import main
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.stages.execution import run_stage
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.training import SilentReporter


@pytest.fixture(scope="module")
def state() -> State:
    return network().state_dict()


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_STORE", str(tmp_path / "store"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_converted_and_that_is_said(tmp_path: Path, state: State, dtype: torch.dtype) -> None:
    save_file({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}, tmp_path / "half.safetensors")
    found = Read(tmp_path / "half.safetensors")
    assert all(found.state[k].dtype == v.dtype for k, v in state.items())
    assert torch.allclose(found.state["fc.weight"], state["fc.weight"], atol=1e-2)
    assert f"The weights are {str(dtype)[6:]} in the file" in found.words


def test_tied_tensors_come_apart(tmp_path: Path, state: State) -> None:
    """Two names for the same numbers in the file are two tensors in the network: training one leaves the other."""
    shared = state["conv5.1.weight"]
    torch.save(state | {"conv5.1.bias": shared}, tmp_path / "a.pt")
    found = Read(tmp_path / "a.pt").state
    assert torch.equal(found["conv5.1.bias"], shared)
    found["conv5.1.weight"].add_(1)
    assert torch.equal(found["conv5.1.bias"], shared)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.target}",)


def _first(state: State) -> str:
    return next(iter(state))


def code(path: Path, state: State) -> None:
    torch.save(state | {"x": Bomb(path.parent / "executed")}, path)


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
    save_file({k: v for k, v in state.items() if not k.startswith("conv1.")}, path)


def extra(path: Path, state: State) -> None:
    save_file(state | {"surplus.weight": torch.zeros(2)}, path)


def shape(path: Path, state: State) -> None:
    save_file(state | {_first(state): torch.zeros(1, 2)}, path)


def huge(path: Path, state: State) -> None:
    torch.save(state | {_first(state): torch.zeros(1).expand(2**20, 2**20)}, path)


def infinite(path: Path, state: State) -> None:
    save_file(state | {_first(state): torch.full_like(state[_first(state)], float("inf"))}, path)


def overflowing(path: Path, state: State) -> None:
    save_file(state | {_first(state): torch.full_like(state[_first(state)], 1e300, dtype=torch.float64)}, path)


def whole_numbers(path: Path, state: State) -> None:
    save_file(state | {_first(state): state[_first(state)].long()}, path)


HOSTILE: list[tuple[Callable[[Path, State], None], str]] = [
    (code, "holds code"),
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
    (missing, "lacks 'conv1.0.weight', 'conv1.1.weight', 'conv1.1.bias' and 2 more"),
    (extra, "has 'surplus.weight', which the network has not"),
    (shape, r"has the shape \(1, 2\) instead of"),
    (huge, "has the shape"),
    (infinite, "not finite"),
    (overflowing, "not finite"),
    (whole_numbers, "torch.int64"),
]
ON_THE_COMMAND_LINE = (code, truncated, missing, large_file)


@pytest.mark.parametrize(("make", "sentence"), HOSTILE, ids=[make.__name__ for make, _ in HOSTILE])
def test_what_is_refused_is_one_sentence_and_nothing_is_executed_or_stored(
    make: Callable[[Path, State], None], sentence: str, tmp_path: Path, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "given.pt"
    make(path, state)
    before = sorted(tmp_path.rglob("*"))
    if make in ON_THE_COMMAND_LINE:
        make_folder(tmp_path / "photos", train=12)
        before = sorted(tmp_path.rglob("*"))
        command = ["run", "--data", str(tmp_path / "photos"), "--checkpoint", str(path), "--architecture", NAME]
        assert main([*command, "--engine", "inline", "--amount", "6", "--methods", "finetune"]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        error = next(line for line in lines if line.startswith("Error: "))
        assert lines[-1] == error
        assert error.count("Error") == 1
        assert not Store.open(tmp_path / "store").find("original")
    else:
        with pytest.raises(UserError) as caught:
            Read(path, ("bee", "cow", "dog"))
        error = str(caught.value)
        assert "\n" not in error
    assert re.search(sentence, error), error
    assert not [p for p in sorted(tmp_path.rglob("*")) if p not in before and tmp_path / "store" not in [p, *p.parents]]


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
