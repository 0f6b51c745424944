"""Which example is shown next to a person who types right labels, and which key means which class."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from unlearn_core.forget_sets import ForgetSet

KEYS: Final = "1234567890qwertyuiopasdfghjklzxcvbnm"
"""The keys of classes whose names are longer than one character, in the order of a keyboard."""


def class_keys(names: Sequence[str]) -> list[str] | None:
    """The key of every class: its own name where all are one letter or digit, else :data:`KEYS` in order; None where there are
    more classes than keys."""
    lower = [name.lower() for name in names]
    if all(len(name) == 1 and name in KEYS for name in lower) and len({*lower}) == len(names):
        return lower
    return list(KEYS[: len(names)]) if len(names) <= len(KEYS) else None


def next_to_label(order: Sequence[int], content: ForgetSet, passed: Collection[int]) -> int | None:
    """The first example of the set, in this order, whose right label nobody typed yet, those that were ``passed`` over last;
    None where there is none."""
    left = [index for index in order if index not in content.labels]
    return _first(left, passed)


def next_to_check(labels: np.ndarray, content: ForgetSet, passed: Collection[int], seed: int) -> int | None:
    """An example that is neither in the set nor found clean, at random, of a given class of which the fewest were checked.

    ``labels`` int64 (N,): as given. The order is drawn from ``seed`` alone, so that nothing about the examples decides.
    """
    known = {*content.indices, *content.clean}
    order = np.random.default_rng(seed).permutation(len(labels))
    checked = np.bincount(labels[list(content.checked)].astype(np.int64), minlength=int(labels.max()) + 1)
    left = [int(index) for index in order if int(index) not in known]
    left.sort(key=lambda index: int(checked[labels[index]]))  # stable: within a class the order stays
    return _first(left, passed)


def _first(left: Sequence[int], passed: Collection[int]) -> int | None:
    return next((index for index in left if index not in passed), left[0] if left else None)
