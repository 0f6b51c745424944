"""A table of images: CSV or Parquet with a path and a given label, optionally the clean label and the split."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from unlearn_core.datasets._images.decode import open_picture
from unlearn_core.datasets._images.folder import digest, hash_file
from unlearn_core.datasets._images.listing import (
    MAX_IMAGES,
    SPLIT_NAMES,
    TRAIN,
    UNSPLIT,
    Collection,
    Listing,
    Picture,
    check_count,
    make_listing,
    some,
)
from unlearn_core.deferring import counted
from unlearn_core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

MAX_TABLE_BYTES = 256 * 2**20
COLUMNS: Final = {
    "path": ("path", "file", "filename", "image"),
    "label": ("label", "given_label", "given", "class"),
    "clean": ("clean_label", "clean", "true_label"),
    "split": ("split", "subset"),
}
"""What a column may be called; the first name is the one to use."""


class Manifest(Collection):
    """Paths are relative to the manifest's folder and stay inside it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.where = f"The manifest {str(path)!r}"
        table = _read(path, self.where)
        check_count(len(table), self.where)
        columns = _columns(table, self.where)
        self.files = [_inside(text, path.parent, self.where) for text in columns["path"]]
        self._columns = columns
        self._listing: Listing | None = None

    def signature(self) -> str:
        about = self.path.stat()
        return digest([f"{about.st_size}\0{about.st_mtime_ns}", *(_state(self.path.parent / name) for name in self.files)])

    def content(self) -> str:
        lines = (f"{name}\0{hash_file(self.path.parent / name)}" for name in counted(sorted(set(self.files))))
        return digest([hashlib.sha256(self.path.read_bytes()).hexdigest(), *lines])

    def listing(self) -> Listing:
        if self._listing is None:
            self._listing = self._arrange()
        return self._listing

    def picture(self, k: int) -> Picture:
        return open_picture(self.path.parent / self.listing().names[k])

    def _arrange(self) -> Listing:
        labels, problems, keep = self._columns["label"], [], []
        seen: set[str] = set()
        missing, unlabelled, twice = [], [], []
        for row, name in enumerate(self.files):
            if name in seen:
                twice.append(name)
            elif not (self.path.parent / name).is_file():
                missing.append(name)
            elif not labels[row]:
                unlabelled.append(name)
            else:
                keep.append(row)
            seen.add(name)
        for names, what in ((missing, "missing"), (unlabelled, "without a label"), (twice, "listed more than once")):
            if names:
                problems.append(f"{len(names):,} of the files are {what}: {some(names)}.")
        if not keep:
            raise UserError(f"{self.where} names no image that is there. {problems[0] if problems else ''}".strip())
        return make_listing(
            [self.files[row] for row in keep],
            [labels[row] for row in keep],
            self._splits(keep),
            where=self.where,
            clean=[self._columns["clean"][row] for row in keep] if "clean" in self._columns else None,
            problems=problems,
        )

    def _splits(self, keep: list[int]) -> list[int]:
        told = [self._columns["split"][row].lower() for row in keep] if "split" in self._columns else []
        if not any(told):
            return [UNSPLIT] * len(keep)
        strange = sorted({text for text in told if text and text not in SPLIT_NAMES})
        if strange:
            raise UserError(f"{self.where} has the split {some(strange)}; known: {', '.join(SPLIT_NAMES)}.")
        return [SPLIT_NAMES[text] if text else TRAIN for text in told]


def _read(path: Path, where: str) -> pd.DataFrame:
    """All cells as text; at most one row more than can be listed."""
    size = path.stat().st_size
    if size > MAX_TABLE_BYTES:
        raise UserError(f"{where} has {size / 2**20:,.0f} MB; at most {MAX_TABLE_BYTES // 2**20} MB are read.")
    if path.suffix.lower() in (".csv", ".tsv"):
        return _read_csv(path, where)
    return _read_parquet(path, where)


def _read_csv(path: Path, where: str) -> pd.DataFrame:
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline(65_536)
            separator = max(",;\t", key=head.count)
            file.seek(0)
            return pd.read_csv(
                file, sep=separator, dtype=str, keep_default_na=False, nrows=MAX_IMAGES + 1, skipinitialspace=True
            )
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is not UTF-8 text (byte {error.start:,}); save it as UTF-8.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise UserError(f"{where} is no table: {str(error).splitlines()[0].rstrip('.')[:200]}.") from None
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror or error}.") from None


def _read_parquet(path: Path, where: str) -> pd.DataFrame:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UserError(f"{where} needs the package pyarrow to be read; save it as CSV.") from None
    try:
        file = parquet.ParquetFile(path)
        about = file.metadata
        check_count(about.num_rows, where)
        wanted = [name for name in file.schema_arrow.names if name.strip().lower() in sum(COLUMNS.values(), ())]
        unpacked = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
        if unpacked > MAX_TABLE_BYTES:
            raise UserError(
                f"{where} would unpack to {unpacked / 2**20:,.0f} MB; at most {MAX_TABLE_BYTES // 2**20} MB are read."
            )
        table = file.read(columns=wanted).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{where} cannot be read: {str(error).splitlines()[0].rstrip('.')[:200]}.") from None
    return table.astype(object).where(table.notna(), "").astype(str)


def _columns(table: pd.DataFrame, where: str) -> dict[str, list[str]]:
    given = {str(name).strip().lower(): name for name in table.columns}
    found = {}
    for role, names in COLUMNS.items():
        name = next((given[name] for name in names if name in given), None)
        if name is not None:
            found[role] = [str(value).strip() for value in table[name]]
        elif role in ("path", "label"):
            shown = some([str(name) for name in table.columns], 5) or "none"
            raise UserError(f"{where} needs a column {names[0]!r}; its columns are {shown}.")
    return found


def _inside(text: str, root: Path, where: str) -> str:
    """The path relative to ``root``, with slashes; refused where it leads outside."""
    text = text.replace("\\", "/")
    full = os.path.normpath(root / text)
    relative = os.path.relpath(full, root)
    if "\0" in text or relative == ".." or relative.startswith("../"):
        raise UserError(f"{where} names {text[:80]!r}, which is not in its folder; put the manifest beside the images.")
    return relative


def _state(path: Path) -> str:
    try:
        about = path.stat()
    except (OSError, ValueError):
        return "missing"
    return f"{about.st_size}\0{about.st_mtime_ns}"
