"""A table of images: CSV or Parquet with a path and a given label, optionally the clean label and the split."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from unlearn_core.datasets.files.columns import NAMES, read_columns
from unlearn_core.datasets.files.decode import open_picture
from unlearn_core.datasets.files.folder import digest, hash_file
from unlearn_core.datasets.files.listing import (
    MAX_IMAGES,
    TRAIN,
    UNSPLIT,
    Collection,
    Listing,
    Picture,
    check_count,
    make_listing,
)
from unlearn_core.datasets.files.names import some
from unlearn_core.datasets.files.text_tables import Table, plain_name, read_rows, tables
from unlearn_core.errors import UserError
from unlearn_core.support.deferring import count_items

MAX_TABLE_BYTES = 256 * 2**20


class Manifest(Collection):
    """Paths are relative to the manifest's folder and stay inside it."""

    numbering = "in the order of the rows of the table that can be used"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.where = f"The manifest {str(path)!r}"
        found = read_columns(_read(path, self.where), lambda text: _is_there(path.parent, text), self.where)
        check_count(len(found.paths), self.where)
        self.files = [_inside(text, path.parent, self.where) for text in found.paths]
        self._columns = found
        self._listing: Listing | None = None

    def signature(self) -> str:
        return digest([_state(self.path), *(_state(self.path.parent / name) for name in self.files)])

    def content(self) -> str:
        lines = (f"{name}\0{hash_file(self.path.parent / name)}" for name in count_items(sorted(set(self.files))))
        return digest([hashlib.sha256(self.path.read_bytes()).hexdigest(), *lines])

    def reading(self) -> str:
        return ", ".join(sorted(self._columns.news))

    def listing(self) -> Listing:
        if self._listing is None:
            self._listing = self._arrange()
        return self._listing

    def picture(self, k: int) -> Picture:
        return open_picture(self.path.parent / self.listing().names[k])

    def _arrange(self) -> Listing:
        labels, clean, keep = self._columns.labels, self._columns.clean, []
        first: dict[str, int] = {}
        missing, unlabelled, twice = [], [], []
        for row, name in enumerate(self.files):
            if name in first:
                twice.append(row)
            elif not os.path.isfile(self.path.parent / name):
                missing.append(name)
            elif not labels[row]:
                unlabelled.append(name)
            else:
                keep.append(row)
            first.setdefault(name, row)
        problems = [
            f"{len(names):,} of the files are {what}: {some(names)}."
            for names, what in ((missing, "missing"), (unlabelled, "without a label"))
            if names
        ]
        problems += self._describe_doubled_rows(twice, first) + self._columns.said
        if not keep:
            raise UserError(f"{self.where} names no image that is there. {problems[0] if problems else ''}".strip())
        return make_listing(
            [self.files[row] for row in keep],
            [labels[row] for row in keep],
            self._splits(keep),
            where=self.where,
            clean=[clean[row] for row in keep] if clean is not None else None,
            problems=problems,
        )

    def _describe_doubled_rows(self, twice: list[int], first: dict[str, int]) -> list[str]:
        """What is said about rows whose file has been named before: the first row counts, and where they disagree one of the
        two is wrong, which is worth more than the row."""
        if not twice:
            return []
        found = [
            f"{len(twice):,} of the files are listed more than once: {some([self.files[row] for row in twice])}; the first row "
            "counts."
        ]
        columns = {"label": self._columns.labels, "clean label": self._columns.clean, "split": self._columns.splits}
        for what, cells in columns.items():
            told = [row for row in twice if cells is not None and not {cells[row], cells[first[self.files[row]]]} & {"", None}]
            torn = [row for row in told if cells is not None and cells[row] != cells[first[self.files[row]]]]
            if torn and cells is not None:
                row, name = torn[0], self.files[torn[0]]
                shown = "" if what == "split" else f", called {cells[first[name]]!r} and {cells[row]!r}"
                found.append(
                    f"{len(torn):,} of these rows DISAGREE with the first about the {what}, so one of the two is wrong: for "
                    f"example {name[:60]!r}{shown}."
                )
        return found

    def _splits(self, keep: list[int]) -> list[int]:
        told = self._columns.splits
        if told is None:
            return [UNSPLIT] * len(keep)
        return [TRAIN if (half := told[row]) is None else half for row in keep]


def _read(path: Path, where: str) -> list[Table]:
    """What the file may mean, all cells as text; at most one row more than can be listed."""
    size = path.stat().st_size
    if size > MAX_TABLE_BYTES:
        raise UserError(f"{where} has {size / 2**20:,.0f} MB; at most {MAX_TABLE_BYTES // 2**20} MB are read.")
    if path.suffix.lower() not in (".csv", ".tsv"):
        return [_read_parquet(path, where)]
    try:
        with path.open("rb") as file:
            rows = read_rows(file, where, MAX_IMAGES + 1)
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror or error}.") from None
    if not rows:
        raise UserError(f"{where} is no table: it is empty.")
    check_count(len(rows) - 1, where)
    return tables(rows, where)


def _read_parquet(path: Path, where: str) -> Table:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UserError(f"{where} needs the package pyarrow to be read; save it as CSV.") from None
    try:
        file = parquet.ParquetFile(path)
        about = file.metadata
        check_count(about.num_rows, where)
        wanted = [name for name in file.schema_arrow.names if plain_name(name) in NAMES]
        unpacked = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
        if unpacked > MAX_TABLE_BYTES:
            raise UserError(
                f"{where} would unpack to {unpacked / 2**20:,.0f} MB; at most {MAX_TABLE_BYTES // 2**20} MB are read."
            )
        table = file.read(columns=wanted).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{where} cannot be read: {str(error).splitlines()[0].rstrip('.')[:200]}.") from None
    text = table.astype(object).where(table.notna(), "").astype(str)
    written = tuple(map(str, text.columns))
    cells = [[cell.strip() for cell in row] for row in text.to_numpy().tolist()]
    return Table(tuple(map(plain_name, written)), cells, list(range(len(cells))), written)


def _is_there(root: Path, text: str) -> bool:
    try:
        return bool(text) and (root / text.replace("\\", "/")).is_file()
    except (OSError, ValueError):
        return False


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
    return f"{about.st_size}\0{about.st_mtime_ns}\0{about.st_ctime_ns}"
