"""Small folders of pictures with and without a split, and what a forget list means in them."""

from __future__ import annotations

from pathlib import Path

from owntools import picture

from unlearn_core.datasets import Split, load_dataset
from unlearn_core.forget_sets import Listed, read_list
from unlearn_core.forget_sets import in_use as lists
from unlearn_core.presets import make_scenario
from unlearn_core.specs import Scalar, Scenario

CLASSES = ("cat", "dog", "fox")


def make(root: Path, halves: dict[str, int], classes: tuple[str, ...] = CLASSES) -> Path:
    """``root/<half>/<class>/NNN.png``; a half "" has its classes at the top."""
    for first, (half, each) in enumerate(halves.items()):
        for label, name in enumerate(classes):
            folder = root / half / name
            folder.mkdir(parents=True)
            for k in range(each):
                picture(label % 4, 1000 * first + 100 * label + k).save(folder / f"{k:03}.png")
    return root


def scenario_of(photos: Path, seed: int = 0, **params: Scalar) -> Scenario:
    overrides = {"dataset.data": str(photos), "corruption.found": True, **{f"dataset.{k}": v for k, v in params.items()}}
    return make_scenario("images", seed=seed, overrides=overrides)


def split_of(scenario: Scenario) -> Split:
    return load_dataset(scenario.dataset, scenario.seed)


def read(photos: Path, text: str | bytes, seed: int = 0, **params: Scalar) -> Listed:
    split = split_of(scenario_of(photos, seed, **params))
    raw = text if isinstance(text, bytes) else text.encode()
    return read_list(raw, split.roster, split.train.class_names, "list.csv")


def named(photos: Path, listed: Listed) -> set[str]:
    names = split_of(scenario_of(photos)).roster.names
    return {names[k] for k in listed.positions}


def used(photos: Path, text: str, seed: int = 0, **params: Scalar) -> tuple[lists.InUse, set[str]]:
    """The list in use, and the files that its training indices mean."""
    found = lists.use(scenario_of(photos, seed, **params), read(photos, text, seed, **params))
    return found, {found.split.names[k] for k in found.content.indices}
