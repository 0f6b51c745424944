"""How images were read, in words and as plain data: what a person must know of it, and what a deployment has to repeat."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unlearn_core.datasets.files.decode import BACKGROUND, Ranges
from unlearn_core.datasets.files.levels import NoScale, scale_of_floats
from unlearn_core.datasets.files.listing import plain
from unlearn_core.datasets.files.names import some

DARK = 64
"""Colours of at most 14 bits, stored in 16, have nothing brighter left in their upper 8."""
FILTER = "bicubic, antialiased (Pillow, Image.Resampling.BICUBIC)"


def describe_treatment(done: Sequence[set[str]], names: Sequence[str], pixels: np.ndarray, ranges: Ranges) -> list[str]:
    """One sentence for everything that was guessed, dropped or added. ``done``: per image of ``names`` and ``pixels`` (uint8
    (N, C, H, W)) the marks that :func:`decode` made."""
    channels, size = pixels.shape[1], pixels.shape[-1]
    count, first = Counter[str](), dict[str, str]()
    for marks, name in zip(done, names, strict=True):
        count.update(marks)
        for mark in marks:
            first.setdefault(mark, name)
    example = {mark: some([name]) for mark, name in first.items()}
    said = []
    if channels == 1 and 0 < count["colour"] < len(names):
        said.append(
            f"The colours of {count['colour']:,} of {len(names):,} images are dropped, for example of "
            f"{example['colour']}: the others are grey. dataset.channels=colour keeps them."
        )
    if count["transparent"]:
        gone = f"; {count['vanished']:,} of them become one even colour" if count["vanished"] else ""
        images = _count_images(count["transparent"])
        said.append(f"{images} partly transparent and laid on {BACKGROUND}, for example {example['transparent']}{gone}.")
    if count["first"]:
        hold = "file holds" if count["first"] == 1 else "files hold"
        said.append(f"{count['first']:,} {hold} several pictures, for example {example['first']}; the first is used.")
    if count["deep"] and (sentence := _describe_depth(ranges)):
        said.append(f"{_count_images(count['deep'])} stored with more than 8 bits. {sentence}")
    if count["upper bits"]:
        brightest = max(int(image.max()) for image, marks in zip(pixels, done, strict=True) if "upper bits" in marks)
        dark = f": none is brighter than {brightest} of 255, so save them with 8 bits" if brightest < DARK else ""
        said.append(f"{_count_images(count['upper bits'])} in colours of 16 bits each, of which the upper 8 are kept{dark}.")
    if count["much enlarged"]:
        images = _count_images(count["much enlarged"])
        said.append(f"{images} less than half as large as {size}×{size} and enlarged, for example {example['much enlarged']}.")
    if count["cropped"]:
        lose = "image loses more than half of its" if count["cropped"] == 1 else "images lose more than half of their"
        said.append(f"{count['cropped']:,} {lose} area to the square around the middle, for example {example['cropped']}.")
    return said


def describe_left_out(names: Sequence[str], reasons: Sequence[str]) -> list[str]:
    """One sentence for each of the first pictures that cannot be used, and one for all the others."""
    bad = [row for row, reason in enumerate(reasons) if reason]
    problems = [f"{plain(names[row])} {reasons[row]} and is left out." for row in bad[:20]]
    if len(bad) > 20:
        problems.append(f"{len(bad) - 20:,} more images cannot be used and are left out.")
    return problems


def count_marks(done: Sequence[set[str]]) -> dict[str, int]:
    """How many images have each mark."""
    return dict(sorted(Counter(mark for marks in done for mark in marks).items()))


def describe_preprocessing(size: int, channels: int, ranges: Ranges, counts: Mapping[str, int]) -> dict[str, Any]:
    """What was done to every image, as plain data that a deployment can repeat; mean and deviation belong to the network."""
    about: dict[str, Any] = {
        "upright": "as the EXIF orientation says (ImageOps.exif_transpose)",
        "crop": "the largest square around the middle (ImageOps.fit)",
        "size": [size, size],
        "filter": FILTER,
        "jpeg": "large files are decoded at the smallest fraction that is at least twice the size (Image.draft)",
        "channels": "RGB" if channels == 3 else "L (0.299 R + 0.587 G + 0.114 B)",
        "background": BACKGROUND,
    }
    if counts.get("deep"):
        about["depth"] = ranges.depth
        about["floats"] = [ranges.low, ranges.high]
    if counts:
        about["images"] = dict(counts)
    return about


def _describe_depth(ranges: Ranges) -> str:
    said = []
    if ranges.largest and ranges.depth == 8:
        said.append(f"Their largest value is {ranges.largest:,}, so they are taken as 8 bits.")
    elif ranges.largest and ranges.depth != 16:
        said.append(f"Their largest value is {ranges.largest:,}: 0 to {2**ranges.depth - 1:,} becomes 0 to 255 in all of them.")
    if (ranges.low, ranges.high) != (0, 0):
        with contextlib.suppress(NoScale):  # those images are left out, each with its reason
            scale = scale_of_floats(ranges.low, ranges.high)
            said.append(f"Floats run from {ranges.low:g} to {ranges.high:g}: {scale} becomes 0 to 255 in all of them.")
    return " ".join(said)


def _count_images(count: int) -> str:
    return f"{count:,} image is" if count == 1 else f"{count:,} images are"
