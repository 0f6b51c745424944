"""What a card says in words and in pictures: why its examples belong together, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from unlearn_core.discovery.cards import Card
from unlearn_core.results.reader import scenario_data
from unlearn_core.specs import Scenario
from unlearn_core.views.craft.data import as_picture


@dataclass(frozen=True)
class Shared:
    """What the shown of a card have in common, float arrays in the form of one example: their ``mean``, and its
    ``difference`` to the mean of all examples with the given labels that they have."""

    mean: np.ndarray
    difference: np.ndarray


def share_of(card: Card, inputs: torch.Tensor, labels: torch.Tensor) -> Shared:
    """The average of the shown, and how it departs from the average of the classes that they are given.

    ``inputs`` (N, …) of all examples with their ``labels`` (N,).
    """
    mean = inputs[card.shown].float().mean(0)
    classes = torch.zeros_like(mean)
    for label, count in zip(*labels[card.shown].unique(return_counts=True), strict=True):
        classes += inputs[labels == label].float().mean(0) * (int(count) / len(card))
    return Shared(mean.cpu().numpy(), (mean - classes).cpu().numpy())


def describe_card(card: Card, names: Sequence[str] | None = None, given_up: np.ndarray | None = None) -> str:
    """Why these belong together, in one or two sentences; ``names``: the classes' names, without which numbers stand;
    ``given_up`` bool (N,): of these examples it is said how many are shown."""
    dropped = 0 if given_up is None else int(given_up[card.shown].sum())
    how_many = "All of them were" if dropped == len(card) else "One of them was" if dropped == 1 else f"{dropped} of them were"
    return _why_together(card, names) + (f" {how_many} learned early and contradicted later." if dropped else "")


def _why_together(card: Card, names: Sequence[str] | None) -> str:
    group = card.group

    def name(label: int) -> str:
        return f"“{names[label] if names else label}”"

    given = "" if group.given is None else f"Given label {name(group.given)}. "
    if group.kind == "part":
        return f"{given}Part of a card that was mixed."
    if group.kind == "like":
        return f"{given}What lies closest to the example that you picked, the closest first."
    if group.kind == "sample":
        return f"{given}A sample of this class: the smaller of the two groups that it falls into, for comparison."
    if group.kind == "doubted":
        said = "" if group.says is None else f" Its second guess is {name(group.says)}."
        return f"{given}Labels that a training run, which was only watched, learned last or not at all.{said}"
    if group.kind == "suspects":
        said = "" if group.says is None else f" Networks would say {name(group.says)}."
        return f"{given}These resemble what was called wrong, {len(group)} in all.{said}"
    size = f"{len(group)} in all. A network that saw none of them"
    if group.kind == "patch" and group.place is not None:
        row, column, side = group.place
        return (
            f"{given}They share a square of {side}×{side} pixels, from row {row + 1} and column {column + 1}; {size} "
            "says other labels."
        )
    if group.says is not None:
        return f"{given}They lie together; {size} says {name(group.says)}."
    return f"{given}They lie together; {size} says other labels."


@dataclass(frozen=True)
class CommonPictures:
    """What the shown of a card have in common as pictures, uint8 (H, W) or (H, W, 3): their ``mean``, and on grey its
    ``difference`` to their classes, made as strong as it fits."""

    mean: np.ndarray
    difference: np.ndarray


def common_pictures(scenario: Scenario, card: Card) -> CommonPictures | None:
    """What the images of a card have in common; None for points."""
    train = scenario_data(scenario).corrupted.train
    if not train.is_image:
        return None
    shared = share_of(card, train.inputs, train.labels)
    scale = max(1e-6, float(np.abs(shared.difference).max()))
    parts = shared.mean, 128 + 127 * shared.difference / scale
    mean, difference = (as_picture(part.clip(0, 255).astype(np.uint8)) for part in parts)
    return CommonPictures(mean, difference)


def card_frame(scenario: Scenario, card: Card) -> pd.DataFrame:
    """2-D training data: columns index, x, y, given, and shown: whether the point is on the card."""
    train = scenario_data(scenario).corrupted.train
    x, names = train.inputs.numpy(), np.array(train.class_names, dtype=object)
    index = np.arange(len(x))
    given = names[train.labels.numpy()]
    return pd.DataFrame({"index": index, "x": x[:, 0], "y": x[:, 1], "given": given, "shown": np.isin(index, card.shown)})
