"""Label noise from a file: which labels real annotators gave, as a table of training indices and labels."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import torch
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.base import Asked, Change, Corruption, registry
from unlearn_core.corruption.kinds import NOISE
from unlearn_core.corruption.noise.matrix import find_class
from unlearn_core.datasets import LabelledData
from unlearn_core.datasets.files.text_tables import GIVEN, Table, read_rows, tables, whole_number
from unlearn_core.errors import UserError
from unlearn_core.specs import Scalar
from unlearn_core.support.typed_paths import typed_path

MAX_BYTES, MAX_ROWS = 64 * 2**20, 1_000_000
_STREAM = 20_261_203


class FromFileParams(ComponentParams):
    file: str = Field(
        "",
        max_length=4096,
        description="A CSV file with the columns index (training example, from 0) and label (name or number)",
    )
    content: str = Field("", max_length=60, description="What the file holds, as a digest; filled in")


@registry.register
class FromFile(Corruption[FromFileParams]):
    """The given label of every listed example is the file's; C are those whose label it changes, however many."""

    name, label = "from_file", "Label noise from a file"
    summary = "The labels that real annotators gave, read from a table; what it does not list keeps its label."
    place = 0.25
    own_amount = True

    @classmethod
    def full_params(cls, values: dict[str, Any] | None = None) -> dict[str, Scalar]:
        """The path made absolute and the digest filled in; raises :class:`UserError` where the file cannot be read."""
        given = cls.params(values)
        data, place = _read(given)
        return super().full_params({"file": place, "content": digest_of(data)})

    @classmethod
    def make(cls, params: FromFileParams, asked: Asked) -> Change:
        data, place = _read(params)
        indices, given = read_labels(data, asked.train, place.rpartition("/")[2])
        changed = (given != asked.train.labels[indices]).nonzero()[:, 0]
        if not len(changed):
            raise UserError(f"{place!r} changes no label: every one that it lists is the label that the data have anyway.")
        if 2 * len(changed) > len(asked.train) + 1:
            raise UserError(
                f"{place!r} changes {len(changed):,} of {len(asked.train):,} labels, and at most half of them may be wrong."
            )
        order = torch.from_numpy(np.random.default_rng([_STREAM, asked.seed]).permutation(len(changed)))
        mine = changed[order]
        return Change(indices[mine], given[mine], kinds=torch.full((len(mine),), NOISE, dtype=torch.int8))


def digest_of(data: bytes) -> str:
    """What names the file wherever it lies."""
    return f"sha-{hashlib.sha256(data).hexdigest()[:32]}"


def read_labels(data: bytes, train: LabelledData, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The listed training indices and their given labels, both int64 (m,), each example once.

    Raises :class:`UserError` for what is no such table, names an example that is not there or a class that is none, or gives
    one example two labels.
    """
    table = _table(data, name)
    index, label = table.place(("index", "id", "example")), table.place(("label", *GIVEN, "class"))
    if index is None or label is None:
        raise UserError(f"{name} needs the columns index and label; it has {', '.join(map(repr, table.written[:8]))}.")
    known: dict[str, int] = {}
    found: dict[int, int] = {}
    for line, cells in zip(table.lines, table.cells, strict=True):
        place, text = _index(cells[index], line, len(train), name), whole_number(cells[label])
        if text not in known:
            known[text] = find_class(text, train.class_names)
        if found.setdefault(place, known[text]) != known[text]:
            raise UserError(f"{name} gives training example {place} two labels, the second in line {line}.")
    return torch.tensor(list(found), dtype=torch.int64), torch.tensor(list(found.values()), dtype=torch.int64)


def _read(params: FromFileParams) -> tuple[bytes, str]:
    """The file's bytes and its path; :class:`UserError` where it is not there, too large, or not the one that was meant."""
    if not params.file.strip():
        raise UserError("Label noise from a file needs the file: corruption.file=labels.csv.")
    path = typed_path(params.file, "the file of labels")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"The file of labels {str(path)!r} cannot be read: {error.strerror or error}.") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"The file of labels {str(path)!r} is larger than {MAX_BYTES >> 20} MB.")
    if params.content not in ("", digest_of(data)):
        raise UserError(f"The file of labels {str(path)!r} does not hold what was meant; it has changed since.")
    return data, str(path)


def _table(data: bytes, name: str) -> Table:
    rows = read_rows(io.BytesIO(data), name, MAX_ROWS + 1)
    if len(rows) < 2:
        raise UserError(f"{name} lists no example.")
    if len(rows) > MAX_ROWS + 1:
        raise UserError(f"{name} has more than {MAX_ROWS:,} rows.")
    return tables(rows, name)[0]


def _index(text: str, line: int, count: int, name: str) -> int:
    plain = whole_number(text)
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 12) or int(plain) >= count:
        raise UserError(
            f"{name} names no training example in line {line}: {text[:40]!r}; there are {count:,}, numbered from 0."
        )
    return int(plain)
