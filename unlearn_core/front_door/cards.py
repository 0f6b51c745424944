"""What a card says in words and in pictures: why its examples belong together, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unlearn_core.discovery.questions import Card
from unlearn_core.training import DeviceData


@dataclass(frozen=True)
class Shared:
    """What the shown of a card have in common, float arrays in the form of one example: their ``mean``, and its
    ``difference`` to the mean of all examples with the given labels that they have."""

    mean: np.ndarray
    difference: np.ndarray


def share_of(card: Card, data: DeviceData) -> Shared:
    """The average of the shown, and how it departs from the average of those classes."""
    inputs = data.inputs.float()
    mean = inputs[card.shown].mean(0)
    labels = data.labels[card.shown]
    classes = sum((inputs[data.labels == label].mean(0) for label in labels), start=inputs.new_zeros(mean.shape)) / len(labels)
    return Shared(mean.cpu().numpy(), (mean - classes).cpu().numpy())


def describe_card(card: Card, names: Sequence[str] | None = None) -> str:
    """Why these belong together, in one or two sentences; ``names``: the classes' names, without which numbers stand."""
    group = card.group

    def name(label: int) -> str:
        return f"“{names[label] if names else label}”"

    given = "" if group.given is None else f"Given label {name(group.given)}. "
    if group.kind == "part":
        return f"{given}Part of a card that was mixed."
    if group.kind == "doubted":
        return "Labels that a training run, which was only watched, learned last or not at all."
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
