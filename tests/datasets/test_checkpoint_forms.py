"""Files of training scripts: wrapped names, extras, old forms and copies are understood or refused with the true reason, and
other weights leave in the form in which these came."""

from __future__ import annotations

import argparse
import collections
import datetime
import json
import pathlib
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpointtools import CLASSES, NAME, Read, State, network, same, under
from safetensors.torch import save_file

from unlearn_core.errors import UserError
from unlearn_core.models.checkpoints.class_names import compare_classes, read_classes


@pytest.fixture(scope="module")
def state() -> State:
    return network().state_dict()


def other(state: State) -> State:
    return {key: value + 1 for key, value in state.items()}


def optimiser_of(net: torch.nn.Module) -> dict[str, Any]:
    made = torch.optim.Adam(net.parameters())
    net(torch.zeros(2, 3, 32, 32)).sum().backward()
    made.step()
    return made.state_dict()


PIXELS = {"normalize.mean": torch.zeros(3), "normalize.std": torch.ones(3)}
EXTRAS = {
    "acc": np.float64(0.9), "epoch": 3, "steps": np.int64(7), "history": np.arange(3), "kind": np.dtype("f4"),
    "args": argparse.Namespace(lr=0.1, out=pathlib.Path("x"), at=datetime.datetime.now()),
    "config": collections.defaultdict(dict, a={"b": [1]}), "counts": collections.Counter("aab"), "seen": {1, 2},
    "took": datetime.timedelta(3), "device": torch.device("cpu"), "shape": torch.Size([2]), "rng": torch.get_rng_state(),
    "numpy": np.random.get_state(), "ordered": collections.OrderedDict(a=1), "raw": b"abc", "z": 1j, "slice": slice(1, 2),
}  # fmt: skip
WRAPPED: dict[str, tuple[Callable[[State], Any], str]] = {
    "lightning": (lambda s: {"state_dict": under("model.", s), "epoch": 1}, "under 'state_dict' and had 'model.' before"),
    "compiled around data-parallel": (lambda s: under("_orig_mod.module.", s), "had '_orig_mod.module.' before"),
    "averaged": (lambda s: {"n_averaged": torch.tensor(5), **under("module.", s)}, "Not used: 'n_averaged'"),
    "data-parallel": (lambda s: under("module.", s), "had 'module.' before"),
    "net": (lambda s: under("net.", s), "had 'net.' before"),
    "backbone": (lambda s: under("backbone.", s), "had 'backbone.' before"),
    "model inside data-parallel": (lambda s: {"state_dict": under("module.model.", s)}, "had 'module.model.' before"),
    "ema alone": (lambda s: {"ema_model": under("module.", s)}, "under 'ema_model'"),
    "shadow": (lambda s: {"shadow": s, "decay": 0.9}, "under 'shadow'"),
    "nested twice": (lambda s: {"model": {"state_dict": s}}, "under 'model.state_dict'"),
    "with extras": (lambda s: {"net": s, **EXTRAS}, "Not used: 'acc', 'epoch', 'steps' and"),
    "with its optimiser": (lambda s: {"net": s, "optimizer": optimiser_of(network())}, "Not used: 'optimizer'"),
    "criterion beside": (lambda s: {"state_dict": under("net.", s) | {"loss.weight": torch.ones(3)}}, "'loss.weight'"),
    "profiled": (lambda s: s | {"conv1.total_ops": torch.zeros(1), "total_params": torch.zeros(1)}, "'conv1.total_ops'"),
    "without counts": (lambda s: {k: v for k, v in s.items() if "num_batches" not in k}, ""),
    "a copy that is the same": (lambda s: {"model": s, "best": s}, "Not used: 'best'"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("case", "old"),
    [(case, False) for case in WRAPPED] + [(case, True) for case in ("lightning", "with extras", "with its optimiser")],
)
def test_wrappers_are_taken_off_and_said(case: str, old: bool, tmp_path: Path, state: State) -> None:
    wrap, sentence = WRAPPED[case]
    torch.save(wrap(state), tmp_path / "a.pth.tar", _use_new_zipfile_serialization=not old)
    found = Read(tmp_path / "a.pth.tar")
    assert found.brought
    assert same(found.state, state)
    assert sentence in found.words
    assert found.form is not None
    assert found.form.old is old


@pytest.mark.parametrize("protocol", [1, 4])
def test_every_protocol_of_pickles_is_read(protocol: int, tmp_path: Path, state: State) -> None:
    torch.save({"net": state, **EXTRAS}, tmp_path / "a.pt", pickle_protocol=protocol)
    assert same(Read(tmp_path / "a.pt").state, state)


def test_of_two_copies_the_trained_one_is_taken_and_how_to_take_the_other_is_said(tmp_path: Path, state: State) -> None:
    torch.save({"model": state, "model_ema": under("module.", other(state))}, tmp_path / "a.pt")
    found = Read(tmp_path / "a.pt")
    assert same(found.state, state)
    assert "under 'model_ema.module'; those under 'model' were taken. --set model.part=NAME" in found.words
    ema = Read(tmp_path / "a.pt", part="model_ema")
    assert same(ema.state, other(state))
    assert "part" not in found.full  # a spec from before there was a choice keeps its key
    with pytest.raises(UserError, match=r"holds no weights under 'teacher'; those that fit are 'model' and 'model_ema.module'"):
        Read(tmp_path / "a.pt", part="teacher")
    torch.save({**under("model.", state), **under("ema_model.", other(state))}, tmp_path / "b.pt")
    assert same(Read(tmp_path / "b.pt").state, state)
    torch.save({"student": state, "final": other(state)}, tmp_path / "c.pt")
    with pytest.raises(UserError, match="more than one network that fits: 'student' and 'final'; say which"):
        Read(tmp_path / "c.pt")
    assert same(Read(tmp_path / "c.pt", part="final").state, other(state))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (PIXELS, "none"),
        ({"0.mean": torch.tensor([0.485, 0.456, 0.406]), "0.std": torch.tensor([0.229, 0.224, 0.225])}, "imagenet"),
        ({"n.mean": torch.tensor([123.675, 116.28, 103.53]).view(1, 3, 1, 1),
          "n.std": torch.tensor([58.395, 57.12, 57.375]).view(1, 3, 1, 1)}, "imagenet"),
        ({"mu": torch.tensor([0.5]), "sigma": torch.tensor([0.25])}, "0.5,0.5,0.5/0.25,0.25,0.25"),
    ],
)  # fmt: skip
def test_a_normalisation_layer_is_read_unless_told_otherwise(layer: State, expected: str, tmp_path: Path, state: State) -> None:
    torch.save({"state_dict": {**under("1.", state), **layer}}, tmp_path / "a.pt")
    found = Read(tmp_path / "a.pt")
    assert found.full["normalise"] == expected
    assert f"The normalisation {expected} was read from" in found.words
    told = Read(tmp_path / "a.pt", normalise="0.1,0.1,0.1/1,1,1")
    assert told.full["normalise"] == "0.1,0.1,0.1/1,1,1"
    assert f"The file keeps the normalisation {expected} in" in told.words


def test_a_normalisation_of_nothing_is_not_taken(tmp_path: Path, state: State) -> None:
    torch.save({**under("1.", state), "0.mean": torch.zeros(3), "0.std": torch.zeros(3)}, tmp_path / "a.pt")
    assert Read(tmp_path / "a.pt").full["normalise"] == "imagenet"


ACCENTS = ("café", "thé", "été")


@pytest.mark.parametrize(
    "written",
    [
        '["ant","bee","cow"]', '[ "ant", "bee",\n"cow" ]', "['ant', 'bee', 'cow']", "ant,bee,cow", "ant\nbee\ncow\n",
        '{"0": "ant", "1": "bee", "2": "cow"}', '{"cow": 2, "ant": 0, "bee": 1}', "('ant', 'bee', 'cow')",
    ],
)  # fmt: skip
def test_class_names_are_compared_as_lists_however_they_are_written(written: str, tmp_path: Path, state: State) -> None:
    save_file(state, tmp_path / "a.safetensors", {"classes": written, "architecture": NAME})
    assert same(Read(tmp_path / "a.safetensors").state, state)
    with pytest.raises(UserError, match="another order: its class 0 is 'ant', that of the data 'bee'"):
        Read(tmp_path / "a.safetensors", ("bee", "ant", "cow"))
    with pytest.raises(UserError, match="'cow' is no class of the data, and 'dog' is no class of it"):
        Read(tmp_path / "a.safetensors", ("ant", "bee", "dog"))


def test_accents_are_the_same_written_out_or_not_and_composed_or_not(tmp_path: Path, state: State) -> None:
    for text in (json.dumps(ACCENTS), json.dumps(ACCENTS, ensure_ascii=False)):
        save_file(state, tmp_path / "a.safetensors", {"classes": unicodedata.normalize("NFD", text)})
        assert same(Read(tmp_path / "a.safetensors", ACCENTS).state, state)


def test_class_names_inside_a_training_state_count_too(tmp_path: Path, state: State) -> None:
    torch.save({"state_dict": state, "class_to_idx": {"ant": 0, "bee": 2, "cow": 1}}, tmp_path / "a.pt")
    with pytest.raises(UserError, match="the same classes in another order: its class 1 is 'cow', that of the data 'bee'"):
        Read(tmp_path / "a.pt")
    assert same(Read(tmp_path / "a.pt", ("ant", "cow", "bee")).state, state)


def test_what_are_no_class_names_is_not_compared() -> None:
    for value in (None, 3, "ant", [], {"a": 1, "b": 2}, {"a": "b"}, "{" * 10_000, [torch.zeros(1)], {0: "a", 1: 1}):
        assert read_classes(value) is None, value
    assert compare_classes(["a", "a"], ["a", "b"]) == "names other classes than the data: 'b' is no class of it"


def test_other_weights_leave_in_the_form_in_which_these_came(tmp_path: Path, state: State) -> None:
    """Prefix, nesting, precision, order, what lay beside them; loads into the stranger's own code."""
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    layer = {"normalize.mean": torch.zeros(3), "normalize.std": torch.ones(3)}
    came = {"epoch": 3, "arch": "mine", "classes": list(CLASSES), "acc": np.float64(0.9), "optimizer": optimiser_of(network())}
    torch.save({"state_dict": {**layer, **under("module.", half)}, **came}, tmp_path / "a.pt")
    form = Read(tmp_path / "a.pt").form
    assert form is not None
    healed = form.rename_state(other(state))
    assert list(healed) == [*layer, *under("module.", half)]
    assert all(healed[f"module.{k}"].dtype == v.dtype for k, v in half.items())
    whole = form.nest_state(healed)
    assert {k: v for k, v in whole.items() if k != "state_dict"} == {"epoch": 3, "arch": "mine", "classes": list(CLASSES)}
    assert form.left_out == ("acc", "optimizer")
    assert "precision float16, under 'state_dict', names beginning with 'module.'" in form.words
    theirs = torch.nn.Module()
    theirs.module, theirs.normalize = network().half(), torch.nn.Module()
    for name, value in (("mean", torch.ones(3)), ("std", torch.zeros(3))):
        theirs.normalize.register_buffer(name, value)
    theirs.load_state_dict(whole["state_dict"], strict=True)
    assert torch.equal(theirs.module.fc.bias, (state["fc.bias"] + 1).half())
    assert torch.equal(theirs.normalize.std, torch.ones(3))
    with pytest.raises(UserError, match="too large for float16"):
        form.rename_state({k: v + 1e6 if v.is_floating_point() else v for k, v in state.items()})


def test_a_value_that_unfolds_without_end_is_left_out_of_what_is_written(tmp_path: Path, state: State) -> None:
    laughs: list[Any] = ["ha"]
    for _ in range(12):
        laughs = [laughs] * 10
    torch.save({"net": state, "laughs": laughs, "name": "x"}, tmp_path / "a.pt")
    form = Read(tmp_path / "a.pt").form
    assert form is not None
    assert form.around == ({"name": "x"},)
    assert "laughs" in form.left_out
