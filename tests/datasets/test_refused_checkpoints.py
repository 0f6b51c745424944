"""Files that are no weights, and hostile ones: refused with the true reason, at once, and nothing of them runs."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpointtools import Read, State, network, under
from safetensors.torch import save_file

from unlearn_core.errors import UserError


@pytest.fixture(scope="module")
def state() -> State:
    return network().state_dict()


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
def test_a_hostile_pickle_is_refused_and_nothing_of_it_runs(case: str, tmp_path: Path) -> None:
    make, sentence = HOSTILE[case]
    out = tmp_path / "executed"
    pickled(make(out), tmp_path / "given.pt")
    with pytest.raises(UserError, match=sentence):
        Read(tmp_path / "given.pt")
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
    from unlearn_core.models.checkpoints.checkpoint import open_checkpoint
    from unlearn_core.models.checkpoints.pickles import Damaged

    pickled(b"\x80\x02}X\x01\0\0\0a" + TENSOR % bounds + b"s.", tmp_path / "a.pt")
    content = open_checkpoint((tmp_path / "a.pt").read_bytes(), "a.pt")
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
