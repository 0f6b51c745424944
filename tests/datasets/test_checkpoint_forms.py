"""Files of training scripts: wrapped names, extras, old forms and copies are understood or refused with the true reason, and
other weights leave in the form in which these came."""

from __future__ import annotations

import argparse
import collections
import datetime
import io
import json
import os
import pathlib
import pickle
import struct
import time
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpointtools import CLASSES, NAME, Read, State, network, same
from safetensors.torch import save_file

from unlearn_core.errors import UserError
from unlearn_core.models._class_names import compare_classes, read_classes


@pytest.fixture(scope="module")
def state() -> State:
    return network().state_dict()


def under(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


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


def zip_of(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as made:
        for name in names:
            made.writestr(name, b"x")


def scripted(path: Path, state: State) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)


def quantised(path: Path, state: State) -> None:
    torch.save({"w": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, path)


def cifar_stem(path: Path, state: State) -> None:
    save_file(state | {"conv1.0.weight": torch.zeros(24, 3, 5, 5)}, path)


def one_channel(path: Path, state: State) -> None:
    save_file(state | {"conv1.0.weight": torch.zeros(24, 1, 3, 3)}, path)


def not_finite(path: Path, state: State) -> None:
    torch.save({"net": state | {"fc.bias": torch.full((3,), float("nan"))}}, path)


def cut(path: Path, state: State) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-500])


def foreign(content: bytes) -> Callable[[Path, State], None]:
    return lambda path, state: path.write_bytes(content)


def archive(*names: str) -> Callable[[Path, State], None]:
    return lambda path, state: zip_of(path, *names)


def saved(made: Callable[[State], Any]) -> Callable[[Path, State], None]:
    return lambda path, state: torch.save(made(state), path)


REFUSED: dict[str, tuple[Callable[[Path, State], None], str]] = {
    "TorchScript": (scripted, "a TorchScript archive"),
    "torch.export": (archive("model/archive_format", "model/data/weights/a"), r"a torch\.export archive"),
    "Keras archive": (archive("config.json", "model.weights.h5"), "a model of Keras"),
    "NumPy archive": (archive("a.npy", "b.npy"), "an archive of NumPy arrays"),
    "HDF5": (foreign(b"\x89HDF\r\n\x1a\n" + bytes(100)), "an HDF5 file, as Keras writes it"),
    "ONNX": (foreign(b"\x08\x07\x12\x07pytorch" + bytes(100)), "an ONNX file, a program"),
    "TensorFlow Lite": (foreign(b"\x1c\0\0\0TFL3" + bytes(100)), "a model of TensorFlow Lite"),
    "Git LFS": (foreign(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"), "a pointer of Git LFS"),
    "web page": (foreign(b"<!DOCTYPE html><html></html>"), "a web page or another text"),
    "gzip": (foreign(b"\x1f\x8b" + bytes(100)), "a compressed file: unpack it first"),
    "whole network": (saved(lambda s: network()), r"a whole network pickled with its class \('torchvision\.models"),
    "pickle of another": (foreign(pickle.dumps({"a": 1})), "a pickle that torch.save has not written"),
    "quantised": (quantised, "holds quantised weights"),
    "another head": (saved(lambda s: network(7).state_dict()), "tells 7 classes apart, but the data have 3"),
    "a head of another name": (
        saved(lambda s: {("head" + k[2:] if k.startswith("fc") else "enc." + k): v for k, v in s.items()}),
        r"\(its names begin with 'enc\.'\): it lacks 'fc\.weight', 'fc\.bias' and has 'head\.weight', 'head\.bias'",
    ),
    "another network": (saved(lambda s: network(3, "resnet18").state_dict()), "lacks 'conv1.0.weight'"),
    "all names begin alike": (
        saved(lambda s: under("m.", {k + "_": v for k, v in s.items()})), r"\(all its names begin with 'm\.'\): it lacks"
    ),
    "parameters alone": (saved(lambda s: dict(network().named_parameters())), "lacks 'conv1.1.running_mean'"),
    "larger kernels": (cifar_stem, "Its kernels are 5×5 there, as variants for small images have them"),
    "one channel": (one_channel, "It takes images of one channel"),
    "not finite": (not_finite, "not finite, in 'fc.bias'"),
    "cut short, before 1.6": (cut, "damaged or truncated"),
    "a folder": (lambda path, state: path.mkdir(), "is a folder: give the one file in it"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_taken_is_refused_with_the_true_reason(case: str, tmp_path: Path, state: State) -> None:
    make, sentence = REFUSED[case]
    make(tmp_path / "given", state)
    with pytest.raises(UserError, match=sentence) as caught:
        Read(tmp_path / "given")
    assert str(caught.value).count("\n") == 0


class Runs:
    """Runs a command when it is unpickled by anything that runs code."""

    def __init__(self, target: Path, state: Any = None) -> None:
        self.target, self.state = target, state

    def __reduce__(self) -> Any:
        return (os.system, (f"touch {self.target}",), self.state) if self.state else (os.system, (f"touch {self.target}",))


def pickled(instructions: bytes, path: Path, numel: int = 4) -> None:
    """A file of torch.save with these instructions as its pickle, and one block of four floats."""
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("archive/data.pkl", instructions)
        made.writestr("archive/data/0", struct.pack("<4f", 1, 2, 3, 4))
        made.writestr("archive/version", "3\n")


TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu"
    b"K\x04tQ%b\x89ccollections\nOrderedDict\n)RtR"
)
"""A tensor; the gap takes offset, shape and stride."""
FOUR, HUGE, OUTSIDE, NEGATIVE = (
    b"K\0K\x04\x85K\x01\x85",
    b"K\0J\xff\xff\xff\x7f\x85K\0\x85",
    b"K\0K\x09\x85K\x01\x85",
    b"J\xff\xff\xff\xffK\x01\x85K\x01\x85",
)
HOSTILE = {
    "system in an extra": (lambda out: pickle.dumps({"a": Runs(out)}, 2), "os.system|posix.system"),
    "system by STACK_GLOBAL": (lambda out: pickle.dumps({"a": Runs(out)}, 4), "os.system|posix.system"),
    "system in protocol 0": (lambda out: pickle.dumps({"a": Runs(out)}, 0), "os.system|posix.system"),
    "eval by INST": (lambda out: b"(Vopen('%s','w')\ni__builtin__\neval\n." % str(out).encode(), "__builtin__.eval"),
    "getattr": (lambda out: b"c__builtin__\ngetattr\n(c__builtin__\nlist\nX\x05\0\0\0clear\x86R.", "getattr"),
    "an extension": (lambda out: b"\x80\x02\x82\x01.", "damaged"),
    "memory for a memo": (lambda out: b"\x80\x02}r\xff\xff\xff\x7f.", "no weights by name"),
    "memory by codecs": (lambda _: b"\x80\x02}X\x01\0\0\0ac_codecs\nencode\n(C\x02aaX\x03\0\0\0hextRs.", "no weights"),
    "memory by bytes": (lambda _: b"\x80\x02}X\x01\0\0\0ac__builtin__\nbytearray\n(J\xff\xff\xff\x7ftRs.", "no weights"),
    "a deep key": (lambda out: b"\x80\x02})" + b"\x85" * 100_000 + b"Ns.", "no weights by name"),
    "a list in itself": (lambda out: b"\x80\x02}q\0X\x01\0\0\0ah\0s.", "no weights by name"),
    "no end": (lambda out: b"\x80\x02}", "damaged"),
    "nothing on the stack": (lambda out: b"\x80\x02aa.", "damaged"),
    "a tensor that is not there": (lambda out: b"\x80\x02}X\x09\0\0\0fc.weight" + TENSOR % HUGE + b"s.", "lacks"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_pickle_is_refused_at_once_and_nothing_of_it_runs(case: str, tmp_path: Path) -> None:
    make, sentence = HOSTILE[case]
    out = tmp_path / "executed"
    pickled(make(out), tmp_path / "given.pt")
    start = time.process_time()
    with pytest.raises(UserError, match=sentence):
        Read(tmp_path / "given.pt")
    assert time.process_time() - start < 20  # seconds, where a bomb would take minutes
    assert not out.exists()
    # The same as a file of before PyTorch 1.6, where the pickle stands between others.
    old = io.BytesIO()
    torch.save({}, old, _use_new_zipfile_serialization=False)
    head = old.getvalue()[: old.getvalue().index(b"}q\0.\x80\x02]q\0.")]
    (tmp_path / "old.pt").write_bytes(head.removesuffix(b"\x80\x02") + make(out) + b"\x80\x02]q\0.")
    with pytest.raises(UserError, match=sentence):
        Read(tmp_path / "old.pt")
    assert not out.exists()


@pytest.mark.parametrize(("bounds", "fits"), [(FOUR, True), (HUGE, True), (OUTSIDE, False), (NEGATIVE, False)])
def test_a_tensor_reads_no_byte_that_is_not_its_own(bounds: bytes, fits: bool, tmp_path: Path) -> None:
    from unlearn_core.models._checkpoint import opened
    from unlearn_core.models._pickled import Damaged

    pickled(b"\x80\x02}X\x01\0\0\0a" + TENSOR % bounds + b"s.", tmp_path / "a.pt")
    content = opened((tmp_path / "a.pt").read_bytes(), "a.pt")
    if fits:
        assert content.build(content.tree["a"])[:2].tolist() == ([1.0, 2.0] if bounds is FOUR else [1.0, 1.0])
    else:
        with pytest.raises(Damaged):
            content.build(content.tree["a"])


def test_an_old_file_that_promises_more_than_it_holds_takes_no_memory(tmp_path: Path, state: State) -> None:
    torch.save({"a": torch.ones(1000)}, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    data = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(data.replace(struct.pack("<q", 1000), struct.pack("<q", 2**40)))
    with pytest.raises(UserError, match="damaged or truncated"):
        Read(tmp_path / "a.pt")


def test_other_weights_leave_in_the_form_in_which_these_came(tmp_path: Path, state: State) -> None:
    """Prefix, nesting, precision, order, what lay beside them; loads into the stranger's own code."""
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    layer = {"normalize.mean": torch.zeros(3), "normalize.std": torch.ones(3)}
    came = {"epoch": 3, "arch": "mine", "classes": list(CLASSES), "acc": np.float64(0.9), "optimizer": optimiser_of(network())}
    torch.save({"state_dict": {**layer, **under("module.", half)}, **came}, tmp_path / "a.pt")
    form = Read(tmp_path / "a.pt").form
    assert form is not None
    healed = form.named(other(state))
    assert list(healed) == [*layer, *under("module.", half)]
    assert all(healed[f"module.{k}"].dtype == v.dtype for k, v in half.items())
    whole = form.nested(healed)
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
        form.named({k: v + 1e6 if v.is_floating_point() else v for k, v in state.items()})


def test_a_value_that_unfolds_without_end_is_left_out_of_what_is_written(tmp_path: Path, state: State) -> None:
    laughs: list[Any] = ["ha"]
    for _ in range(12):
        laughs = [laughs] * 10
    torch.save({"net": state, "laughs": laughs, "name": "x"}, tmp_path / "a.pt")
    form = Read(tmp_path / "a.pt").form
    assert form is not None
    assert form.around == ({"name": "x"},)
    assert "laughs" in form.left_out
