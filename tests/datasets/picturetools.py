"""Small collections of pictures, made on the spot: class k is a bright stripe in column k of a noisy picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from unlearn_core.datasets import Split, forget_datasets, load_dataset, registry
from unlearn_core.datasets.files.facts import forget_facts
from unlearn_core.presets import make_scenario
from unlearn_core.specs import DatasetSpec, Scalar

CLASSES = ("ant", "bee", "cow")


def picture(label: int, seed: int, size: tuple[int, int] = (12, 12), mode: str = "RGB") -> Image.Image:
    """One picture; (width, height) in ``size``."""
    pixels = np.random.default_rng(seed).integers(0, 90, (size[1], size[0], 3), dtype=np.uint8)
    pixels[:, 3 * label : 3 * label + 3] = 200
    return Image.fromarray(pixels).convert(mode)


def make_tree(
    root: Path, each: int = 6, classes: tuple[str, ...] = CLASSES, size: tuple[int, int] = (12, 12), first: int = 0
) -> Path:
    """``root/<class>/NN.png``, ``each`` of every class; ``first`` is the seed of the first picture."""
    for label, name in enumerate(classes):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(each):
            picture(label % 4, first + 100 * label + k, size).save(folder / f"{k:02}.png")
    return root


def make_folder(root: Path, train: int = 8, test: int = 4, classes: tuple[str, ...] = CLASSES) -> Path:
    """``root/train/<class>/…`` and ``root/test/<class>/…``."""
    make_tree(root / "train", train, classes)
    make_tree(root / "test", test, classes, first=5_000)
    return root


def read(spec: DatasetSpec, seed: int = 0) -> Split:
    """The data of ``spec``; its problems are all that are said of it: of listing the files now, and of decoding them."""
    split, source = load_dataset(spec, seed), registry.get(spec.name)
    return replace(split, problems=(*source.problems(source.params(spec.params)), *split.problems))


def forget() -> None:
    """As if this process had just started."""
    forget_facts()
    forget_datasets()


def save_each(root: Path, save: Callable[[int, Path], None], suffix: str = ".png", each: int = 4) -> Path:
    """``root/train|test/a|b/N.png``, written by ``save(number of the picture, path)``; train/a has the first numbers."""
    places = [root / half / name / f"{k}{suffix}" for half in ("train", "test") for name in "ab" for k in range(each)]
    for number, path in enumerate(places):
        path.parent.mkdir(parents=True, exist_ok=True)
        save(number, path)
    return root


def noise(seed: int, *shape: int, high: int = 256, dtype: type = np.uint8) -> np.ndarray:
    """Values from 0 to ``high`` - 1, each end at least once."""
    values = np.random.default_rng(seed).integers(0, high, shape)
    values.flat[:2] = 0, high - 1
    return values.astype(dtype)


def load(path: Path | str, seed: int = 0, **params: Scalar) -> Split:
    """What the dataset ``images`` makes of ``path``."""
    overrides: dict[str, Scalar] = {f"dataset.{name}": value for name, value in params.items()}
    return read(make_scenario("images", seed=seed, overrides=overrides | {"dataset.data": str(path)}).dataset, seed)


def same(one: Split, other: Split) -> bool:
    """Whether both halves hold the same images, labels and class names."""
    return all(
        a.inputs.equal(b.inputs) and a.labels.equal(b.labels) and a.class_names == b.class_names
        for a, b in ((one.train, other.train), (one.test, other.test))
    )
