"""A small folder of pictures with some in the wrong class, as a forget list names them, and as a table with clean labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("ant", "bee", "cow")
WRONG = ("train/bee/00.png", "train/bee/01.png", "train/cow/02.png", "train/cow/03.png")
"""Pictures of ants that lie in other classes."""
SETTINGS = {"training.epochs": 3, "training.augment": False}


def picture(label: int, seed: int) -> Image.Image:
    """Class k is a bright stripe in column k of a noisy picture of 12×12."""
    pixels = np.random.default_rng(seed).integers(0, 90, (12, 12, 3), dtype=np.uint8)
    pixels[:, 3 * label : 3 * label + 3] = 200
    return Image.fromarray(pixels)


def make_photos(root: Path, each: int = 10) -> Path:
    """``root/train/<class>/NN.png`` and ``root/test/…``; those of :data:`WRONG` show ants."""
    for half, count, first in (("train", each, 0), ("test", 5, 9_000)):
        for label, name in enumerate(CLASSES):
            folder = root / half / name
            folder.mkdir(parents=True)
            for k in range(count):
                path = f"{half}/{name}/{k:02}.png"
                picture(0 if path in WRONG else label, first + 100 * label + k).save(root / path)
    return root


def write_list(path: Path, names: tuple[str, ...] = WRONG, labels: bool = False) -> Path:
    """A forget list by path; with ``labels`` it says what the right ones are."""
    rows = [(name, "ant") if labels else (name,) for name in names]
    with path.open("w", newline="") as out:
        csv.writer(out).writerows([("path", "clean_label")[: len(rows[0])], *rows])
    return path


def write_manifest(root: Path, known: int | None = None) -> Path:
    """``root/table.csv`` with the clean label of every training picture, or of the first ``known`` alone."""
    rows, count = [], 0
    for half in ("train", "test"):
        for file in sorted((root / half).glob("*/*.png")):
            name = file.relative_to(root).as_posix()
            clean = "ant" if name in WRONG else file.parent.name
            told = half == "test" or known is None or count < known
            count += half == "train"
            rows.append((name, file.parent.name, clean if told else "", half))
    with (root / "table.csv").open("w", newline="") as out:
        csv.writer(out).writerows([("path", "label", "clean_label", "split"), *rows])
    return root / "table.csv"
