"""Pictures that come as arrays: an ``.npz`` file, or what another library has read."""

from __future__ import annotations

import hashlib
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.lib import format as npy

from unlearn_core.datasets._images.listing import TEST, TRAIN, UNSPLIT, Collection, Listing, Picture, check_count, make_listing
from unlearn_core.errors import UserError

MAX_ARRAY_BYTES = 2 * 2**30
NAMES: Final = (
    (("x_train", "y_train", TRAIN), ("x_test", "y_test", TEST)),
    (("train_images", "train_labels", TRAIN), ("test_images", "test_labels", TEST)),
    (("images", "labels", UNSPLIT),),
    (("x", "y", UNSPLIT),),
    (("X", "y", UNSPLIT),),
)
"""What the arrays of images and labels may be called; the last of a triple says which half they are."""
CLEAN: Final = {"y_train": "clean_train", "train_labels": "train_clean_labels", "labels": "clean_labels", "y": "clean"}


class Arrays(Collection):
    """Pictures in memory: ``parts`` are (uint8 (N, H, W) or (N, H, W, C), labels as text, which half)."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._parts: list[tuple[np.ndarray, list[str], int]] | None = None
        self.clean: list[str] | None = None

    def read(self) -> list[tuple[np.ndarray, list[str], int]]:
        """Everything, from the file; called once, and only when it is needed."""
        raise NotImplementedError

    @property
    def parts(self) -> list[tuple[np.ndarray, list[str], int]]:
        if self._parts is None:
            self._parts = self.read()
        return self._parts

    def listing(self) -> Listing:
        return make_listing(
            [f"{_HALF[half]}[{k}]" for pixels, _, half in self.parts for k in range(len(pixels))],
            [label for _, labels, _ in self.parts for label in labels],
            [half for pixels, _, half in self.parts for _ in range(len(pixels))],
            where=repr(str(self.path)),
            clean=self.clean,
        )

    def content(self) -> str:
        total = hashlib.sha256()
        for pixels, labels, half in self.parts:
            total.update(f"{half} {pixels.shape} {pixels.dtype}".encode())
            total.update(np.ascontiguousarray(pixels).data)
            total.update("\0".join(labels).encode("utf-8", "surrogateescape"))
        total.update("\0".join(self.clean or []).encode("utf-8", "surrogateescape"))
        return total.hexdigest()

    def picture(self, k: int) -> Picture:
        # The listing leaves out nothing but test images of unknown classes, which come last.
        for pixels, _, _ in self.parts:
            if k < len(pixels):
                return pixels[k]
            k -= len(pixels)
        raise IndexError(k)


_HALF: Final = {TRAIN: "train", TEST: "test", UNSPLIT: "image"}


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
        check_count(sum(shapes[images][0][0] for images, _, _ in chosen if shapes[images][0]), where)
        if (total := sum(math.prod(shapes[name][0]) * shapes[name][1].itemsize for name in wanted)) > MAX_ARRAY_BYTES:
            raise UserError(f"{where} unpacks to {total / 2**30:,.1f} GB; at most {MAX_ARRAY_BYTES // 2**30} GB are read.")
        arrays = _load(self.path, wanted, where)
        names = [str(name) for name in arrays["class_names"].reshape(-1)] if "class_names" in arrays else None
        parts = []
        for images, labels, half in chosen:
            pixels = as_pixels(arrays[images], f"{where}: {images}")
            parts.append((pixels, as_labels(arrays[labels], len(pixels), names, f"{where}: {labels}"), half))
        if clean_name in arrays:
            known = as_labels(arrays[clean_name], len(parts[0][0]), names, f"{where}: {clean_name}")
            self.clean = known + [label for _, labels, _ in parts[1:] for label in labels]
        return parts


def as_pixels(values: np.ndarray, what: str) -> np.ndarray:
    """Images of any usual layout as uint8 (N, H, W) or (N, H, W, 3 or 4); raises :class:`UserError` for anything else."""
    if values.ndim not in (3, 4) or not values.size:
        raise UserError(f"{what} has the shape {values.shape}; expected images, height, width and perhaps channels.")
    if values.ndim == 4 and values.shape[-1] not in (1, 3, 4):
        if values.shape[1] not in (1, 3):
            raise UserError(f"{what} has the shape {values.shape}; images have 1 or 3 channels (or 4, with transparency).")
        values = np.moveaxis(values, 1, -1)
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool:
        return values.astype(np.uint8) * 255
    if values.dtype.kind not in "iuf":
        raise UserError(f"{what} holds {values.dtype}, which are no pixels.")
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(low) or not math.isfinite(high) or low < 0 or high > 65_535:
        raise UserError(f"{what} runs from {low:g} to {high:g}; pixels run from 0 to 1, to 255 or to 65,535.")
    scale = 255.0 if values.dtype.kind == "f" and high <= 1 else 1 / 257 if high > 255 else 1.0
    result = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), 1024):  # in pieces: the floats of everything would take eight times the memory
        result[start : start + 1024] = (values[start : start + 1024] * scale).round()
    return result


def as_labels(values: np.ndarray, count: int, names: Sequence[str] | None, what: str) -> list[str]:
    """One class name per image; whole numbers count from 0 and index ``names`` where there are any."""
    flat = values.reshape(-1)
    if len(flat) != count:
        raise UserError(f"{what} has {len(flat):,} labels for {count:,} images.")
    if flat.dtype.kind in "US":
        return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in flat]
    if flat.dtype.kind == "f" and np.isfinite(flat).all() and (flat == np.round(flat)).all() and (np.abs(flat) < 2**31).all():
        flat = flat.astype(np.int64)
    if flat.dtype.kind not in "iu":
        raise UserError(f"{what} must hold whole numbers or names (it holds {values.dtype}).")
    if count and (flat.min() < 0 or (names is not None and flat.max() >= len(names))):
        most = f" and below {len(names)}, the number of class names" if names is not None else ""
        raise UserError(f"{what} must be at least 0{most} (they run from {flat.min()} to {flat.max()}).")
    return [names[k] if names is not None else str(k) for k in flat.tolist()]


def _shapes(path: Path, where: str) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Shape and type of every array, from the headers alone."""
    found: dict[str, tuple[tuple[int, ...], np.dtype]] = {}
    try:
        with zipfile.ZipFile(path) as file:
            for name in file.namelist()[:1000]:
                if not name.endswith(".npy"):
                    continue
                with file.open(name) as member:
                    version = npy.read_magic(member)
                    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                    shape, _, dtype = read(member)
                found[name.removesuffix(".npy")] = (shape, dtype)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{where} is no readable .npz: {error}.") from None
    return found


def _load(path: Path, names: Sequence[str], where: str) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, MemoryError) as error:
        raise UserError(f"{where} cannot be read: {str(error).splitlines()[0].rstrip('.') or 'it is damaged'}.") from None
