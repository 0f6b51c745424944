"""Pictures that come as arrays: what another library has read, as one collection. ``.npz`` files are in :mod:`npz`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from unlearn_core.datasets.files.levels import NoScale, Scale, scale_of_floats, scale_of_numbers
from unlearn_core.datasets.files.listing import TEST, TRAIN, UNSPLIT, Collection, Listing, Picture, make_listing, natural
from unlearn_core.errors import UserError

MOST_APART = 16
"""Halves whose largest whole numbers lie this many times apart cannot be meant with one scale."""
DARK = 32
_HALF: Final = {TRAIN: "train", TEST: "test", UNSPLIT: "image"}


class Arrays(Collection):
    """Pictures in memory: ``parts`` are (uint8 (N, H, W) or (N, H, W, C), labels as text, which half).

    :meth:`read` may also set ``clean`` (true labels, one per picture), ``order`` (all class names as their source orders
    them) and ``said`` (one sentence for everything that was guessed or left out).
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._parts: list[tuple[np.ndarray, list[str], int]] | None = None
        self._listing: Listing | None = None
        self._rows: list[int] = []
        self.clean: list[str] | None = None
        self.order: tuple[str, ...] | None = None
        self.said: list[str] = []

    def read(self) -> list[tuple[np.ndarray, list[str], int]]:
        """Everything, from the file; called once, and only when it is needed."""
        raise NotImplementedError

    @property
    def parts(self) -> list[tuple[np.ndarray, list[str], int]]:
        if self._parts is None:
            self._parts = self.read()
        return self._parts

    def listing(self) -> Listing:
        if self._listing is None:
            names = [f"{_HALF[half]}[{k}]" for pixels, _, half in self.parts for k in range(len(pixels))]
            found = make_listing(
                names,
                [label for _, labels, _ in self.parts for label in labels],
                [half for pixels, _, half in self.parts for _ in range(len(pixels))],
                where=repr(str(self.path)),
                clean=self.clean,
                problems=self.said,
                order=self.order,
            )
            # Test images of unknown classes are left out, so the k-th listed picture need not be the k-th of the arrays.
            at = {name: row for row, name in enumerate(names)}
            self._rows = [at[name] for name in found.names]
            self._listing = found
        return self._listing

    def content(self) -> str:
        total = hashlib.sha256()
        for pixels, labels, half in self.parts:
            total.update(f"{half} {pixels.shape} {pixels.dtype}".encode())
            total.update(np.ascontiguousarray(pixels).data)
            total.update("\0".join(labels).encode("utf-8", "surrogateescape"))
        total.update("\0".join(self.clean or []).encode("utf-8", "surrogateescape"))
        listing = self.listing()
        # Both were read otherwise once: classes sorted by name, and the wrong pictures after one that is left out.
        if self.order is not None and listing.class_names != tuple(sorted(listing.class_names, key=natural)):
            total.update("\0".join(["order", *listing.class_names]).encode("utf-8", "surrogateescape"))
        if self._rows != list(range(len(self._rows))):
            total.update(b"rows")
        return total.hexdigest()

    def picture(self, k: int) -> Picture:
        self.listing()
        row = self._rows[k]
        for pixels, _, _ in self.parts:
            if row < len(pixels):
                picture: np.ndarray = pixels[row]
                return picture
            row -= len(pixels)
        raise IndexError(k)


def to_bytes(arrays: Sequence[tuple[str, np.ndarray]], where: str) -> tuple[list[np.ndarray], list[str]]:
    """All (name, images) as uint8 (N, H, W) or (N, H, W, 1, 3 or 4), with one scale for all of them, and what was done, as
    sentences. Raises :class:`UserError` for anything that is no picture, and where one scale cannot be meant."""
    said: list[str] = []
    turned = []
    for name, values in arrays:
        turned.append((name, channels_last(values, f"{where}: {name}", said)))
        if values.dtype != bool and values.dtype.kind not in "iuf":
            raise UserError(f"{where}: {name} holds {values.dtype}, which are no pixels.")
    if any(values.dtype == bool for _, values in turned):
        turned = [(name, values.astype(np.uint8) * 255 if values.dtype == bool else values) for name, values in turned]
    if all(values.dtype == np.uint8 for _, values in turned):
        return [values for _, values in turned], [*said, *_dark([values for _, values in turned])]
    ranges = [_range(name, values, where) for name, values in turned]
    scale = _common(turned, ranges, where)
    if scale.cut:
        beyond = sum(int(((values < scale.low) | (values > scale.high)).sum()) for _, values in turned)
        lie = "value of the pixels lies" if beyond == 1 else "values of the pixels lie"
        cut = "is" if beyond == 1 else "are"
        said.append(
            f"{beyond:,} {lie} beyond {scale} (they run from {min(r[0] for r in ranges):g} to "
            f"{max(r[1] for r in ranges):g}) and {cut} cut off there."
        )
    if (scale.low, scale.high) not in ((0, 1), (0, 255), (0, 65_535)):
        said.append(f"The pixels run from {min(r[0] for r in ranges):g} to {max(r[1] for r in ranges):g}: "
                    f"{scale} becomes 0 to 255 in all images.")  # fmt: skip
    scaled = [scale.apply(values) for _, values in turned]
    return scaled, [*said, *_dark(scaled)]


def _dark(arrays: Sequence[np.ndarray]) -> list[str]:
    brightest = max(int(values.max()) for values in arrays)
    if brightest >= DARK:
        return []
    return [f"The pixels run to {brightest} of 255: all images are nearly black, and are taken as they are."]


def channels_last(values: np.ndarray, what: str, said: list[str]) -> np.ndarray:
    """Images as (N, H, W) or (N, H, W, C); raises :class:`UserError` for other shapes. What was turned is added to ``said``."""
    if values.ndim not in (3, 4) or not values.size:
        raise UserError(f"{what} has the shape {values.shape}; expected images, height, width and perhaps channels.")
    if values.ndim == 3:
        return values
    last, first = values.shape[-1] in (1, 3, 4), values.shape[1] in (1, 3, 4)
    if last and first:  # such as (N, 1, 4, 4): tiny pictures are square more often than they are one pixel high
        last = values.shape[1] == values.shape[2] or values.shape[2] != values.shape[3]
    if last:
        return values
    if not first:
        raise UserError(f"{what} has the shape {values.shape}; images have 1 or 3 channels (or 4, with transparency).")
    return np.moveaxis(values, 1, -1)


def _range(name: str, values: np.ndarray, where: str) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low) or not np.isfinite(high):
        bad = int((~np.isfinite(values)).sum())
        raise UserError(
            f"{where}: {name} runs from {low:g} to {high:g}; {bad:,} of its values {'is' if bad == 1 else 'are'} no pixels."
        )
    return low, high


def _common(arrays: Sequence[tuple[str, np.ndarray]], ranges: Sequence[tuple[float, float]], where: str) -> Scale:
    """The one scale that suits all; refused where each alone would get another one that lies far from it."""
    told = [f"{name} runs from {r[0]:g} to {r[1]:g}" for (name, _), r in zip(arrays, ranges, strict=True)]
    apart = f"{where}: {' and '.join(told)}"
    alone = []
    for (_, values), found in zip(arrays, ranges, strict=True):
        try:
            alone.append(_scale([values], *found))
        except NoScale:
            continue  # together with the others it may be clear
    widths, ends = [scale.high - scale.low for scale in alone], [max(map(abs, found)) for found in ranges]
    far = len(alone) == len(arrays) and max(widths) >= MOST_APART * min(widths) and max(ends) >= MOST_APART * min(ends)
    kinds = {"u8" if values.dtype == np.uint8 else values.dtype.kind.replace("u", "i") for _, values in arrays}
    differ = len({(scale.low, scale.high) for scale in alone}) > 1
    if far or (differ and (len(kinds) > 1 or len({scale.low for scale in alone}) > 1)):
        raise UserError(f"{apart}; with one scale for both halves one of them would be wrong, so scale them alike first.")
    if len(kinds) > 1 and len(alone) == len(arrays):
        return Scale(alone[0].low, alone[0].high, any(scale.cut for scale in alone))
    try:
        return _scale([values for _, values in arrays], min(r[0] for r in ranges), max(r[1] for r in ranges))
    except NoScale as error:
        raise UserError(f"{apart}{error}.") from None


def _scale(arrays: Sequence[np.ndarray], low: float, high: float) -> Scale:
    if all(values.dtype.kind == "f" for values in arrays):
        return scale_of_floats(low, high, whole=high > 1 and all(_whole(values) for values in arrays))
    return scale_of_numbers(int(low), int(high), signed_bytes=all(values.dtype == np.int8 for values in arrays))


def _whole(values: np.ndarray) -> bool:
    return all(
        bool((values[start : start + 1024] == np.round(values[start : start + 1024])).all())
        for start in range(0, len(values), 1024)
    )
