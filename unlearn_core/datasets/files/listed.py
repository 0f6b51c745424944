"""Images that a forget list names outside of the training part: they join it, or leave the test images."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from unlearn_core.datasets.base import HELD_OUT, OUTSIDE, TESTED, UNREADABLE, Roster
from unlearn_core.datasets.files.listing import TEST
from unlearn_core.errors import UserError

PATTERN = r"^(\d{1,6}(-\d{1,6})?(,\d{1,6}(-\d{1,6})?)*)?$"


def write_numbers(numbers: Iterable[int]) -> str:
    """Ascending whole numbers as text, runs as one: "3,7-9"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def read_numbers(text: str, below: int) -> np.ndarray:
    """int64, ascending: what :func:`write_numbers` wrote; raises :class:`UserError` for a number that is not ``below``."""
    chosen = np.zeros(below, bool)
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text):
        if int(last or first) >= below:
            raise UserError(f"dataset.listed names image {last or first}, but there are {below:,}, numbered from 0.")
        chosen[int(first) : int(last or first) + 1] = True
    return np.flatnonzero(chosen)


def move_listed(train: np.ndarray, test: np.ndarray, splits: np.ndarray, listed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of training and test images after the ``listed`` ones have moved: those that the files call test images are
    only taken out of the test images, as training on them was not asked for; all others join the training images."""
    if not len(listed):
        return train, test
    return np.union1d(train, listed[splits[listed] != TEST]), np.setdiff1d(test, listed)


def describe_moved(splits: np.ndarray, listed: np.ndarray, left: int) -> str:
    """What moved, as sentences with a space in front; raises :class:`UserError` where no test image is left."""
    if not len(listed):
        return ""
    if not left:
        raise UserError("The forget list names every image that could be tested on, so nothing could be measured.")
    tested = int((splits[listed] == TEST).sum())
    joined, found = len(listed) - tested, ""
    if joined:
        found += f" {joined:,} of the training images {'is' if joined == 1 else 'are'} there because the forget list names "
        found += "it." if joined == 1 else "them."
    if tested:
        found += f" {tested:,} test image{'' if tested == 1 else 's'} that the forget list names "
        found += f"{'is' if tested == 1 else 'are'} left out, and not trained on."
    return found


def make_roster(
    names: tuple[str, ...],
    labels: np.ndarray,
    splits: np.ndarray,
    bad: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    numbering: str,
) -> Roster:
    """The roster of a collection; ``train``, ``test``: the positions of what is trained on, in its order, and tested on;
    ``bad``: of what could not be read."""
    place = np.where(splits == TEST, TESTED, OUTSIDE)
    place[test[splits[test] != TEST]] = HELD_OUT
    place[bad] = UNREADABLE
    place[train] = np.arange(len(train))
    return Roster(len(names), names, labels, splits == TEST, place, numbering)
