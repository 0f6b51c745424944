"""Files that torch.save has written, in today's form (a zip) and that of before PyTorch 1.6 (pickles in a row).

Only torch.save's own layout is read, by :mod:`unlearn_core.models.checkpoints.pickles`: nothing in a file is executed, and
what is taken into memory is never more than the file holds.
"""

from __future__ import annotations

import io
import struct
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import torch

from unlearn_core.errors import UserError
from unlearn_core.models.checkpoints.pickles import Damaged, Lazy, Reader, Storage

MAX_PICKLE, MAX_ENTRIES = 2**24, 100_000
"""Bytes of the pickle in a torch file, and its entries: names and shapes, many times those of any network."""
_MAGIC = 0x1950A86A20F9469CFC6C
OLD_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How a file of torch.save began before PyTorch 1.6."""

Blocks = Callable[[Storage], bytes | bytearray | memoryview]
"""The bytes of a storage's block; raises KeyError for one that the file does not have."""


class TorchFile:
    """What a file holds: ``tree`` of dictionaries, values and :class:`Lazy` tensors, and ``build`` to read one of these."""

    def __init__(self, tree: Any, blocks: Blocks, old: bool) -> None:
        self.tree, self._blocks, self.old = tree, blocks, old
        self._read: dict[str, tuple[bytearray, torch.dtype | None]] = {}

    def build(self, lazy: Lazy) -> torch.Tensor:
        """The tensor, as it was saved (tied tensors share memory); raises :class:`Damaged` where its numbers are not there."""
        storage = lazy.storage
        try:
            if storage.key not in self._read:
                self._read[storage.key] = bytearray(self._blocks(storage)), storage.dtype
            block = self._read[storage.key][0]
            flat = torch.frombuffer(block, dtype=lazy.dtype) if len(block) else torch.empty(0, dtype=lazy.dtype)
            return flat.as_strided(lazy.shape, lazy.stride, storage.start + lazy.offset)
        except (KeyError, ValueError, RuntimeError, TypeError, zipfile.BadZipFile, OSError, EOFError) as error:
            raise Damaged(str(error)) from None


def read_zip(data: bytes, name: str) -> TorchFile:
    """A file of PyTorch 1.6 and later. Raises :class:`UserError` in one sentence for what is none, or not only weights."""
    if data.count(b"PK\x01\x02") > MAX_ENTRIES:  # each entry of the directory begins with these
        raise UserError(f"The checkpoint {name!r} has more than {MAX_ENTRIES:,} entries, which no network has.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = {info.filename: info for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, IndexError, EOFError, NotImplementedError):
        raise _damaged(name) from None
    pickles = [path for path in infos if path.endswith("/data.pkl") or path == "data.pkl"]
    refuse_other_archives(infos, name)
    # Entries that overlap or are compressed unpack to more than the file holds.
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos.values()) or len(data) < sum(
        info.file_size for info in infos.values()
    ):
        raise UserError(f"The checkpoint {name!r} is a compressed archive, which torch.save does not write.")
    if len(pickles) != 1:
        raise UserError(f"The checkpoint {name!r} is an archive, but not one of weights that torch.save has written.")
    root = pickles[0].removesuffix("data.pkl")
    if infos[pickles[0]].file_size > MAX_PICKLE:
        raise UserError(f"The checkpoint {name!r} lists more than any network holds, so it is not loaded.")

    def entry(path: str) -> bytes:
        try:
            return archive.read(path)
        except (zipfile.BadZipFile, OSError, ValueError, EOFError, RuntimeError, NotImplementedError):
            raise _damaged(name) from None

    if f"{root}byteorder" in infos and entry(f"{root}byteorder") != sys.byteorder.encode():
        raise UserError(f"The checkpoint {name!r} was written on a machine with another order of bytes, so it is not read.")
    tree = _read_tree(io.BytesIO(entry(pickles[0])), name)
    return TorchFile(tree, lambda storage: archive.read(f"{root}data/{storage.key}"), old=False)


def read_old(data: bytes, name: str) -> TorchFile:
    """A file of before PyTorch 1.6: magic, version, system, the object, the blocks' names, then the blocks one by one."""
    file = io.BytesIO(data)
    try:
        magic, _, system = (Reader().read(file) for _ in range(3))
    except Damaged:
        raise _damaged(name) from None
    if magic != _MAGIC or not isinstance(system, dict):
        raise _damaged(name)
    if system.get("little_endian", True) != (sys.byteorder == "little"):
        raise UserError(f"The checkpoint {name!r} was written on a machine with another order of bytes, so it is not read.")
    reader = Reader()
    tree = _read_tree(file, name, reader)
    try:
        keys = Reader().read(file)
        places = _blocks_behind(data, file.tell(), keys, reader.sizes)
    except (Damaged, struct.error, KeyError, TypeError):
        raise _damaged(name) from None
    return TorchFile(tree, lambda storage: memoryview(data)[slice(*places[storage.key])], old=True)


def _blocks_behind(data: bytes, start: int, keys: Any, sizes: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Where each block's bytes lie: a count of elements before each, of ``sizes`` bytes."""
    places = {}
    for key in keys:
        (count,) = struct.unpack_from("<q", data, start)
        first, start = start + 8, start + 8 + count * sizes[str(key)]
        if count < 0 or start > len(data):
            raise Damaged("cut short")
        places[str(key)] = first, start
    return places


def _read_tree(file: io.BytesIO, name: str, reader: Reader | None = None) -> Any:
    """The object in a pickle as a tree; refused where it holds more than values."""
    reader = reader or Reader()
    try:
        tree = reader.read(file)
    except Damaged:
        if not reader.unknown:
            raise _damaged(name) from None
        tree = None
    if not reader.unknown:
        return tree
    if any("_rebuild_qtensor" in one or "Quantized" in one for one in reader.unknown):
        raise UserError(f"The checkpoint {name!r} holds quantised weights, which cannot be trained on: give those of before.")
    first = reader.unknown[0].replace(" ", ".")[:80]
    if any(one.startswith(("torch.nn.modules.", "torch.fx.")) for one in reader.unknown):
        raise UserError(
            f"The checkpoint {name!r} is a whole network pickled with its class ({first!r}), which only that code could "
            "rebuild, and no code of a file is run: save the network's state_dict()."
        )
    raise UserError(
        f"The checkpoint {name!r} holds code, or an object that only code could rebuild ({first!r}), and none is run: save the "
        "network's state_dict()."
    )


def refuse_other_archives(paths: dict[str, Any], name: str) -> None:
    """Raise :class:`UserError` with what a zip is that torch.save did not write, where its entries tell."""
    ends = {path.rpartition("/")[2] for path in paths}
    if "constants.pkl" in ends or any("/code/" in f"/{path}" and path.endswith(".py") for path in paths):
        what = "a TorchScript archive (torch.jit.save), a program"
    elif {"archive_format", "serialized_exported_program.json"} & ends or any(
        path.endswith("models/model.json") for path in paths
    ):
        what = "a torch.export archive, a program"
    elif "model.weights.h5" in ends or "keras_metadata.pb" in ends:
        what = "a model of Keras"
    elif ends and all(end.endswith(".npy") for end in ends):
        what = "an archive of NumPy arrays"
    else:
        return
    raise UserError(f"The checkpoint {name!r} is {what}, not weights by name: save the PyTorch network's state_dict().")


def _damaged(name: str) -> UserError:
    return UserError(f"The checkpoint {name!r} is damaged or truncated.")
