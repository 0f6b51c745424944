"""An ``.npz`` file as a collection: what its arrays may be called, bounds from its headers, labels of any usual form."""

from __future__ import annotations

import math
import tokenize
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.lib import format as npy

from unlearn_core.datasets.files.arrays import Arrays, to_bytes
from unlearn_core.datasets.files.bounds import DAMAGED, MAX_PIXELS, check_ratio, reason_of
from unlearn_core.datasets.files.listing import MAX_CLASSES, TEST, TRAIN, UNSPLIT, check_count
from unlearn_core.datasets.files.names import some
from unlearn_core.errors import UserError

MAX_ARRAY_BYTES = 2 * 2**30
FREE_BYTES = 2**28
"""What any file may unpack to, however small it is."""
NAMES: Final = (
    (("x_train", "y_train", TRAIN), ("x_test", "y_test", TEST)),
    (("train_images", "train_labels", TRAIN), ("test_images", "test_labels", TEST)),
    (("images", "labels", UNSPLIT),),
    (("x", "y", UNSPLIT),),
    (("X", "y", UNSPLIT),),
)
"""What the arrays of images and labels may be called; the last of a triple says which half they are."""
CLEAN: Final = {"y_train": "clean_train", "train_labels": "train_clean_labels", "labels": "clean_labels", "y": "clean"}
_HEADER = (*DAMAGED, SyntaxError, tokenize.TokenError, TypeError, KeyError, IndexError, AttributeError)
"""What numpy raises for headers that are no headers, depending on the damage."""


class Npz(Arrays):
    """Arrays such as x_train, y_train, x_test, y_test, or images and labels; class_names and clean labels may be there."""

    def signature(self) -> str:
        about = self.path.stat()
        return f"{about.st_size}:{about.st_mtime_ns}:{about.st_ctime_ns}"

    def read(self) -> list[tuple[np.ndarray, list[str], int]]:
        where = f"The file {str(self.path)!r}"
        shapes = _shapes(self.path, where)
        sets = next((names for names in NAMES if names[0][0] in shapes and names[0][1] in shapes), None)
        if sets is None:
            raise UserError(
                f"{where} has the arrays {', '.join(sorted(shapes)) or 'none'}; expected x_train, y_train, x_test and y_test, "
                "or images and labels."
            )
        chosen = [part for part in sets if part[0] in shapes and part[1] in shapes]
        clean_name = CLEAN[chosen[0][1]]
        wanted = [name for images, labels, _ in chosen for name in (images, labels)]
        wanted += [name for name in ("class_names", clean_name) if name in shapes]
        _check_bounds({name: shapes[name] for name in wanted}, [images for images, _, _ in chosen], self.path, where)
        arrays = _load(self.path, wanted, where)
        names = _class_names(arrays["class_names"], where) if "class_names" in arrays else None
        pixels, said = to_bytes([(images, arrays[images]) for images, _, _ in chosen], where)
        self.said = [_halves_missing(sets, shapes), *said]
        parts = []
        for values, (_, labels, half) in zip(pixels, chosen, strict=True):
            parts.append((values, as_labels(arrays[labels], len(values), names, f"{where}: {labels}", self.said), half))
        if clean_name in arrays:
            known = as_labels(arrays[clean_name], len(parts[0][0]), names, f"{where}: {clean_name}")
            self.clean = known + [label for _, labels, _ in parts[1:] for label in labels]
        self._order(names, parts)
        self.said = [sentence for sentence in self.said if sentence]
        return parts

    def _order(self, names: list[str] | None, parts: Sequence[tuple[np.ndarray, list[str], int]]) -> None:
        """The order of ``class_names`` is the order of the classes; names that no image carries are said."""
        carried = {label for _, labels, _ in parts for label in labels} | set(self.clean or ())
        if names is None:
            return
        if strange := sorted(carried - set(names) - {""}):
            raise UserError(f"The file {str(self.path)!r} has labels that are not among its class_names: {some(strange)}.")
        self.order = tuple(names)
        if idle := [name for name in names if name not in carried]:
            self.said.append(f"No image carries {some(idle)} of the class_names, so the file has no such class here.")


def as_labels(
    values: np.ndarray, count: int, names: Sequence[str] | None, what: str, said: list[str] | None = None
) -> list[str]:
    """One class name per image; whole numbers count from 0 and index ``names`` where there are any. Rows with a single 1 among
    zeros are one-hot labels, which is added to ``said``. Raises :class:`UserError` for everything else."""
    flat = _one_hot(values, count, what, said) if values.ndim == 2 and len(values) == count and values.shape[1] > 1 else values
    flat = flat.reshape(-1)
    if len(flat) != count:
        raise UserError(f"{what} has {len(flat):,} labels for {count:,} images.")
    if flat.dtype.kind in "US":
        return _words(flat)
    if flat.dtype.kind == "f" and np.isfinite(flat).all() and (flat == np.round(flat)).all() and (np.abs(flat) < 2**31).all():
        flat = flat.astype(np.int64)
    if flat.dtype == bool:
        flat = flat.astype(np.int64)
    if flat.dtype.kind not in "iu":
        raise UserError(f"{what} must hold whole numbers or names (it holds {values.dtype}).")
    if count and (flat.min() < 0 or (names is not None and flat.max() >= len(names))):
        most = f" and below {len(names)}, the number of class names" if names is not None else ""
        ones = "; count from 0" if names is not None and flat.min() == 1 and flat.max() == len(names) else ""
        raise UserError(f"{what} must be at least 0{most} (they run from {flat.min()} to {flat.max()}{ones}).")
    return [names[k] if names is not None else str(k) for k in flat.tolist()]


def _one_hot(values: np.ndarray, count: int, what: str, said: list[str] | None) -> np.ndarray:
    single = values.dtype.kind in "biuf" and bool(((values == 0) | (values == 1)).all() and (values.sum(1) == 1).all())
    if not single:
        raise UserError(
            f"{what} has {values.shape[1]:,} columns for {count:,} images, and not one 1 among zeros in each row; "
            "one label per image is needed."
        )
    if said is not None:
        said.append(
            f"{what.rpartition(': ')[2]} is one-hot with {values.shape[1]:,} columns; the column of the 1 is the label."
        )
    return np.asarray(values.argmax(1))


def _words(flat: np.ndarray) -> list[str]:
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in flat]


def _class_names(values: np.ndarray, where: str) -> list[str]:
    flat = values.reshape(-1)
    if flat.dtype.kind not in "USiuf":
        raise UserError(f"{where}: class_names must hold text (it holds {values.dtype}).")
    names = _words(flat)
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise UserError(f"{where}: class_names has {some(twice)} more than once, so which class a number means is open.")
    return names


def _halves_missing(sets: Sequence[tuple[str, str, int]], shapes: dict[str, _Header]) -> str:
    """One sentence for images without labels, and the reverse."""
    for images, labels, _ in sets:
        if (images in shapes) != (labels in shapes):
            there, gone = (images, labels) if images in shapes else (labels, images)
            return f"There is {there} without {gone}, so it is not used."
    return ""


_Header = tuple[tuple[int, ...], np.dtype, int]
"""Shape, type, and the bytes that the entry unpacks to as the file's directory has it."""


def _check_bounds(shapes: dict[str, _Header], images: Sequence[str], path: Path, where: str) -> None:
    """Refuse what is too large, from the headers alone; raises :class:`UserError`."""
    for name, (shape, dtype, unpacked) in shapes.items():
        if dtype.hasobject:
            raise UserError(
                f"{where} cannot be read: {name} holds Python objects, which may run code when they are opened; save plain "
                "numbers or text."
            )
        if any(side < 0 for side in shape):
            raise UserError(f"{where} is no readable .npz: {name} has the shape {shape}.")
        if (claimed := math.prod(shape) * dtype.itemsize) > MAX_ARRAY_BYTES:
            raise UserError(f"{where} unpacks to {claimed / 2**30:,.1f} GB; at most {MAX_ARRAY_BYTES // 2**30} GB are read.")
        if claimed > unpacked:
            raise UserError(f"{where} is cut short: {name} should have {claimed:,} bytes and has {unpacked:,}.")
    check_count(sum(shapes[name][0][0] for name in images if shapes[name][0]), where)
    for name in images:
        if math.prod(shapes[name][0][1:]) > MAX_PIXELS:
            raise UserError(f"{where}: the images of {name} have {math.prod(shapes[name][0][1:]):,} values each; "
                            f"at most {MAX_PIXELS:,} are read.")  # fmt: skip
    if "class_names" in shapes and math.prod(shapes["class_names"][0]) > 10 * MAX_CLASSES:
        raise UserError(f"{where}: class_names has {math.prod(shapes['class_names'][0]):,} entries; that are no classes.")
    if (total := sum(math.prod(shape) * dtype.itemsize for shape, dtype, _ in shapes.values())) > MAX_ARRAY_BYTES:
        raise UserError(f"{where} unpacks to {total / 2**30:,.1f} GB; at most {MAX_ARRAY_BYTES // 2**30} GB are read.")
    check_ratio(total, path.stat().st_size, FREE_BYTES, where)


def _shapes(path: Path, where: str) -> dict[str, _Header]:
    """Shape, type and size of every array, from the headers alone."""
    found: dict[str, _Header] = {}
    try:
        with zipfile.ZipFile(path) as file:
            for entry in file.infolist()[:1000]:
                if not entry.filename.endswith(".npy"):
                    continue
                with file.open(entry) as member:
                    version = npy.read_magic(member)
                    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                    shape, _, dtype = read(member)
                found[entry.filename.removesuffix(".npy")] = (shape, dtype, entry.file_size)
    except _HEADER as error:
        raise UserError(f"{where} is no readable .npz: {reason_of(error)}.") from None
    return found


def _load(path: Path, names: Sequence[str], where: str) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except _HEADER as error:
        raise UserError(f"{where} cannot be read: {reason_of(error)}.") from None
