"""Weights from a file that somebody else wrote: safetensors, or a PyTorch file that holds tensors and nothing else.

Nothing in such a file is ever executed, and memory is bounded: by the size of the file, and by the shapes the network
expects, which are compared before a tensor is copied.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from unlearn_core.errors import UserError
from unlearn_core.typed_paths import typed_path

MAX_BYTES = 2**30
MAX_HEADER = 100 * 10**6
"""Bytes of a safetensors header, as its own reader has it."""
MAX_PICKLE, MAX_ENTRIES = 2**24, 100_000
"""Bytes of the pickle in a torch file, and its entries: names and shapes, many times those of any network."""
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "weights")
_PREFIXES = ("module.", "_orig_mod.")
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_SHOWN = 3


def content_of(data: bytes) -> str:
    """What names a checkpoint wherever it lies: the beginning of its SHA-256."""
    return f"sha-{hashlib.sha256(data).hexdigest()[:32]}"


def find(text: str) -> Path:
    """The absolute path of a file; raises :class:`UserError` where there is none."""
    path = typed_path(text, "the checkpoint")
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


def about(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file; empty for any other file."""
    if not _is_safetensors(data):
        return {}
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER:
        return {}
    try:
        found = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
    except (ValueError, AttributeError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def tensors(data: bytes, name: str) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name, unwrapped and without a data-parallel prefix.

    Raises :class:`UserError` in one sentence for a file that is none, is damaged, or holds anything but tensors.
    """
    found = _safetensors(data, name) if _is_safetensors(data) else _torch_file(data, name)
    for wrapper in _WRAPPERS:
        if isinstance(inner := found.get(wrapper), Mapping):
            found = inner
            break
    for prefix in _PREFIXES:
        if found and all(str(key).startswith(prefix) for key in found):
            found = {str(key)[len(prefix) :]: value for key, value in found.items()}
    plain = {str(key): value for key, value in found.items() if isinstance(value, torch.Tensor)}
    if not plain:
        raise UserError(f"The checkpoint {name!r} holds no weights by name: save the network's state_dict().")
    return plain


def fitted(
    given: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor], name: str, architecture: str
) -> dict[str, torch.Tensor]:
    """``given`` as a state dict for a network whose own is ``expected``: same names, shapes and types, all finite.

    Half precision becomes float32. Raises :class:`UserError` in one sentence for what does not fit.
    """
    lacking = [key for key in expected if key not in given and not key.endswith("num_batches_tracked")]
    beyond = [key for key in given if key not in expected]
    if lacking or beyond:
        parts = [f"lacks {_some(lacking)}"] if lacking else []
        parts += [f"has {_some(beyond)}, which the network has not"] if beyond else []
        raise UserError(f"The checkpoint {name!r} does not fit {architecture}: it {' and '.join(parts)}.")
    wrong = [key for key, value in given.items() if value.shape != expected[key].shape]
    if wrong:
        key = wrong[0]
        raise UserError(
            f"The checkpoint {name!r} does not fit {architecture}: {key!r} has the shape {tuple(given[key].shape)} instead of "
            f"{tuple(expected[key].shape)}" + (f", and {len(wrong) - 1} more differ." if len(wrong) > 1 else ".")
        )
    state = {}
    for key, like in expected.items():
        value = given.get(key, like)
        if value.layout != torch.strided or value.is_quantized or like.is_floating_point() != (value.dtype in _FLOATS):
            raise UserError(f"The checkpoint {name!r} holds {key!r} as {value.dtype}, which is no plain number to train on.")
        state[key] = value.detach().to(like.dtype).contiguous()
        if not torch.isfinite(state[key]).all():
            raise UserError(f"The checkpoint {name!r} holds numbers that are not finite, in {key!r}.")
    return state


def _some(names: list[str]) -> str:
    shown = ", ".join(repr(name[:80]) for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")


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


def _torch_file(data: bytes, name: str) -> Mapping[str, Any]:
    """``torch.load`` with tensors alone. What it does not bound, memory for compressed or invented bytes, is refused first."""
    if not data.startswith(b"PK"):
        raise UserError(f"The checkpoint {name!r} is neither a safetensors file nor one that torch.save has written.")
    if data.count(b"PK\x01\x02") > MAX_ENTRIES:  # each entry of the directory begins with these
        raise UserError(f"The checkpoint {name!r} has more than {MAX_ENTRIES:,} entries, which no network has.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            # Entries that overlap or are compressed unpack to more than the file holds.
            bounded = all(i.compress_type == zipfile.ZIP_STORED for i in infos) and sum(i.file_size for i in infos) <= len(data)
            pickles = [archive.read(i) for i in infos if bounded and i.filename.endswith("data.pkl")]
        small = sum(map(len, pickles)) <= MAX_PICKLE
        called = _called(pickles[0]) if pickles and small else []
    except (zipfile.BadZipFile, OSError, ValueError, IndexError, EOFError):
        raise UserError(f"The checkpoint {name!r} is damaged or truncated.") from None
    if not bounded:
        raise UserError(f"The checkpoint {name!r} is a compressed archive, which torch.save does not write.")
    if not small:
        raise UserError(f"The checkpoint {name!r} lists more than any network holds, so it is not loaded.")
    if len(pickles) != 1:
        raise UserError(f"The checkpoint {name!r} is an archive, but not one of weights that torch.save has written.")
    if code := next((function for function in called if not _harmless(function)), None):
        raise UserError(f"The checkpoint {name!r} holds code ({code[:60]!r}), so it is not loaded: save a state_dict().")
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  whatever a hostile file makes torch raise, it is not loaded
        raise UserError(f"The checkpoint {name!r} holds more than weights, or is damaged ({type(error).__name__}).") from None
    if not isinstance(found, Mapping):
        raise UserError(f"The checkpoint {name!r} holds a {type(found).__name__} instead of weights by name.")
    return found


def _called(data: bytes) -> list[str]:
    """What a pickle's instructions call, "module function" each: they are read, never run."""
    found = []
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("GLOBAL", "INST"):
            found.append(str(argument))
        elif opcode.name == "STACK_GLOBAL":  # a later way to name a function, which torch.save does not use
            found.append("a function")
    return found


def _harmless(called: str) -> bool:
    module, _, function = called.partition(" ")
    if module == "torch":
        return function.endswith("Storage") or isinstance(getattr(torch, function, None), torch.dtype)
    return called in (
        "collections OrderedDict",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_parameter",
        "torch.nn.parameter Parameter",
        "torch.storage UntypedStorage",
        "torch.storage TypedStorage",
        "torch Size",
    )
