"""Weights from a foreign file: safetensors, or what torch.save wrote of tensors and plain values.

Nothing in such a file is ever executed, and memory is bounded: by the size of the file, and by the shapes the network
expects, which are compared before a tensor is read.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from unlearn_core.errors import UserError
from unlearn_core.models.checkpoints.class_names import KEYS, read_classes
from unlearn_core.models.checkpoints.normalisation import normalisation_in
from unlearn_core.models.checkpoints.pickles import Damaged, Lazy
from unlearn_core.models.checkpoints.torch_file import OLD_START, TorchFile, read_old, read_zip
from unlearn_core.models.checkpoints.unwrapping import Taken, Tensor, mappings
from unlearn_core.support.typed_paths import typed_path

MAX_BYTES = 2**30
MAX_HEADER = 100 * 10**6
"""Bytes of a safetensors header, as its own reader has it."""
LONGEST_NOTE = 200
"""Characters of what a checkpoint may say of itself: an architecture, a size, a normalisation."""
Kind = Literal["safetensors", "torch", "torch before 1.6"]
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes it"),
    (b"GGUF", "a GGUF file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a pointer of Git LFS and not the file that it stands for (git lfs pull fetches that)"),
    (b"\x1f\x8b", "a compressed file: unpack it first"),
    (b"BZh", "a compressed file: unpack it first"),
    (b"\xfd7zXZ", "a compressed file: unpack it first"),
    (b"<", "a web page or another text, not the file that was meant"),
)


@dataclass(frozen=True)
class Content:
    """What a checkpoint file holds: ``tree`` of dictionaries, values and tensors; ``noted``: a safetensors file's metadata."""

    tree: Mapping[Any, Any]
    kind: Kind
    noted: Mapping[str, str] = field(default_factory=dict)
    file: TorchFile | None = None

    def build(self, value: Tensor) -> torch.Tensor:
        """The tensor itself; raises :class:`Damaged` where its numbers are not in the file."""
        if isinstance(value, Lazy):
            assert self.file is not None
            return self.file.build(value)
        return value

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The class names that it carries, if it carries some."""
        for key in KEYS:
            if (found := read_classes(self.noted.get(key))) is not None:
                return found
        for _, values in mappings(self.tree):
            for key in KEYS:
                if (found := read_classes(values.get(key))) is not None:
                    return found
        return None


@dataclass(frozen=True)
class Glance:
    """What a file says of itself: ``content`` names what it holds, ``noted`` are architecture, size and normalise as far as
    they are there, ``normalise_from`` the names of the tensors that the normalisation was read from."""

    content: str
    noted: Mapping[str, str]
    normalise_from: str = ""


def content_of(data: bytes) -> str:
    """What names a checkpoint wherever it lies: the beginning of its SHA-256."""
    return f"sha-{hashlib.sha256(data).hexdigest()[:32]}"


def find(text: str) -> Path:
    """The absolute path of a file; raises :class:`UserError` where there is none."""
    path = typed_path(text, "the checkpoint")
    if os.path.isdir(path):
        raise UserError(f"{str(path)!r} is a folder: give the one file in it that holds the weights.")
    if not os.path.isfile(path):
        raise UserError(f"There is no checkpoint file at {str(path)!r}.")
    return path


def read(path: Path) -> bytes:
    """All of a file; raises :class:`UserError` where it cannot be read, is empty or larger than 1 GB."""
    try:
        with path.open("rb") as file:
            large = os.fstat(file.fileno()).st_size > MAX_BYTES
            data = b"" if large else file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"The checkpoint {path.name!r} cannot be read: {error.strerror or error}.") from None
    if not data and not large:
        raise UserError(f"The checkpoint {path.name!r} is empty.")
    if large or len(data) > MAX_BYTES:
        raise UserError(f"The checkpoint {path.name!r} is larger than 1 GB, which is more than is taken.")
    return data


def glance(path: Path) -> Glance:
    """What the file says of itself; remembered until it changes. Raises :class:`UserError` where it cannot be read."""
    try:
        about = path.stat()
    except OSError as error:
        raise UserError(f"The checkpoint {path.name!r} cannot be read: {error.strerror or error}.") from None
    return _glance(path, about.st_mtime_ns, about.st_size, about.st_ino)


@functools.lru_cache(maxsize=16)
def _glance(path: Path, *_: int) -> Glance:
    data = read(path)
    content, found = content_of(data), open_checkpoint(data, path.name)
    noted = {key: value for key, value in found.noted.items() if len(value) <= LONGEST_NOTE}
    if "normalise" not in noted and (layer := normalisation_in(found.tree, found.build)) is not None:
        return Glance(content, noted | {"normalise": layer[0]}, layer[1])
    return Glance(content, noted)


def open_checkpoint(data: bytes, name: str) -> Content:
    """What a file holds, nothing of it run. Raises :class:`UserError` with what it is where it cannot be taken."""
    if _is_safetensors(data):
        return Content(_safetensors(data, name), "safetensors", _metadata(data))
    if data.startswith(b"PK"):
        file = read_zip(data, name)
    elif data.startswith(OLD_START):
        file = read_old(data, name)
    else:
        raise UserError(_what(data, name))
    if not isinstance(file.tree, Mapping):
        raise UserError(f"The checkpoint {name!r} holds a {type(file.tree).__name__} instead of weights by name.")
    return Content(file.tree, "torch before 1.6" if file.old else "torch", {}, file)


def fit_weights(
    content: Content, taken: Taken, expected: Mapping[str, torch.Tensor], name: str, architecture: str
) -> dict[str, torch.Tensor]:
    """The weights taken as a state dict for a network whose own is ``expected``: same shapes and types, all finite.

    Half precision becomes float32, and a missing count of batches what a fresh network has. Raises :class:`UserError` in one
    sentence for what does not fit.
    """
    given = taken.weights
    wrong = [key for key, value in given.items() if tuple(value.shape) != tuple(expected[key].shape)]
    if wrong:
        raise UserError(_of_another_shape(wrong, given, expected, name, architecture))
    state = {}
    for key, like in expected.items():
        if key not in given:
            state[key] = like
            continue
        try:
            value = content.build(given[key])
        except Damaged:
            raise UserError(f"The checkpoint {name!r} is damaged or truncated: the numbers of {key!r} are not in it.") from None
        if value.layout != torch.strided or value.is_quantized or like.is_floating_point() != (value.dtype in _FLOATS):
            raise UserError(f"The checkpoint {name!r} holds {key!r} as {value.dtype}, which is no plain number to train on.")
        # A copy: tied tensors of the file stay apart, and the block of bytes that several are read from is left alone.
        state[key] = value.detach().to(like.dtype, copy=True).contiguous()
        if not torch.isfinite(state[key]).all():
            raise UserError(f"The checkpoint {name!r} holds numbers that are not finite, in {key!r}.")
    return state


def _of_another_shape(
    wrong: list[str], given: Mapping[str, Tensor], expected: Mapping[str, torch.Tensor], name: str, architecture: str
) -> str:
    key = wrong[0]
    theirs, ours = tuple(given[key].shape), tuple(expected[key].shape)
    why = ""
    if len(theirs) == len(ours) == 4 and theirs[0] == ours[0]:  # a first convolution: outputs, inputs, height, width
        if ours[1] == 3 and theirs[1] == 1:
            why = f" It takes images of one channel, torchvision's {architecture} of three."
        elif theirs[1] == ours[1] and theirs[2:] != ours[2:]:
            why = (
                f" Its kernels are {theirs[2]}×{theirs[3]} there, as variants for small images have them; torchvision's "
                f"{architecture} has {ours[2]}×{ours[3]}."
            )
    return (
        f"The checkpoint {name!r} does not fit {architecture}: {key!r} has the shape {theirs} instead of {ours}"
        + (f", and {len(wrong) - 1} more differ." if len(wrong) > 1 else ".")
        + why
    )


def _is_safetensors(data: bytes) -> bool:
    """An eight-byte length, then JSON."""
    return len(data) > 9 and data[8:9] == b"{" and not data.startswith(b"PK")


def _safetensors(data: bytes, name: str) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return dict(load(data))
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError):
        raise UserError(f"The checkpoint {name!r} is a damaged or truncated safetensors file.") from None


def _metadata(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER:
        return {}
    try:
        found = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
    except (ValueError, AttributeError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _what(data: bytes, name: str) -> str:
    """The sentence for a file of another kind, with the kind where it can be told."""
    kind = next((what for start, what in _STARTS if data.startswith(start)), "")
    if data[4:8] == b"TFL3":
        kind = "a model of TensorFlow Lite"
    elif (data[:1] == b"\x08" and data[2:3] == b"\x12") or name.lower().endswith(".onnx"):
        kind = "an ONNX file, a program"  # a version, then who wrote it
    elif data[257:262] == b"ustar":
        kind = "a tar archive: unpack it first (PyTorch of before 0.2 saved so; a newer one can load it and save it again)"
    elif data[:1] == b"\x80":
        kind = "a pickle that torch.save has not written"
    if kind:
        return f"The checkpoint {name!r} is {kind}; what is taken is a PyTorch state_dict(), as safetensors or of torch.save."
    return f"The checkpoint {name!r} is neither a safetensors file nor one that torch.save has written."
