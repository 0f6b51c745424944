"""What has nothing to do with the class but tells it: brightness, size, where an image comes from.

A network may learn such an attribute in place of the class. Every attribute is measured by how much of one class it alone says:
the mutual information between the attribute and "is of this class", as a share of what there is to know. That is always above 0
by chance, so what shuffled labels give is taken off; and the largest of all classes counts, for the shuffled labels too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unlearn_core.discovery.health.findings import Finding

BINS = 8
"""Equal shares of the images into which numbers are cut."""
SAYS_CONTENT, SAYS_ORIGIN = 0.5, 0.25
"""Share of what there is to know about a class from which on an attribute is said to tell it. What is seen on the image (how
light it is) is a part of many classes; where it comes from is of none."""
CHANCE = 0.01
"""Highest chance of such an association, corrected for the number of attributes (Holm 1979)."""
SHUFFLES = 999
MOST_VALUES = 200
"""A text of more values than this names images, not sources."""
LEAST = 20
"""Fewer images say nothing of an association."""


@dataclass(frozen=True)
class Attribute:
    """``values`` (N,): numbers, or integers that stand for ``words``; ``origin``: whether it says where images come from."""

    name: str
    title: str
    values: np.ndarray
    words: tuple[str, ...] = ()
    origin: bool = False

    @property
    def least(self) -> float:
        """The share from which on it is reported."""
        return SAYS_ORIGIN if self.origin else SAYS_CONTENT


def text_attribute(name: str, title: str, texts: Sequence[str], labels: np.ndarray, layout: bool = False) -> Attribute | None:
    """An attribute of where images come from; None where it has one value, or a value for each image. ``layout``: it may only
    say how the classes are filed, so that it is none where every class has one value."""
    words, codes = np.unique(np.array(texts, dtype=object).astype(str), return_inverse=True)
    if not 2 <= len(words) <= min(MOST_VALUES, len(texts) // 2):
        return None
    pairs = np.unique(np.stack([codes, labels], 1), axis=0)
    if layout and len(pairs) == len(np.unique(labels)):
        return None
    return Attribute(name, title, codes.astype(np.int64), tuple(str(word) for word in words), True)


def number_attribute(name: str, title: str, values: np.ndarray, origin: bool = False) -> Attribute | None:
    """An attribute that is a number; None where it is missing, or the same for nearly all."""
    if not np.isfinite(values).all() or len(np.unique(_cut(values))) < 2:
        return None
    return Attribute(name, title, values.astype(float), (), origin)


def _cut(values: np.ndarray) -> np.ndarray:
    """int64 (N,): which of BINS shares each value falls into; equal values fall into one."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def _codes(attribute: Attribute) -> np.ndarray:
    return attribute.values if attribute.words else _cut(attribute.values)


def shares_told(codes: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """float64 (classes,): mutual information between ``codes`` (N,) and being of each class, over the entropy of the latter; 0
    for a class without images."""
    table = np.bincount(codes * classes + labels, minlength=(int(codes.max()) + 1) * classes).reshape(-1, classes)
    total = len(codes)
    inside, rows = table / total, table.sum(1, keepdims=True) / total
    size = inside.sum(0)
    entropy = -(_xlogx(size) + _xlogx(1 - size))
    within = -(_xlogx(inside) + _xlogx(rows - inside) - _xlogx(rows)).sum(0)
    return np.where(entropy > 1e-12, (entropy - within) / np.maximum(entropy, 1e-12), 0.0)


def _xlogx(share: np.ndarray) -> np.ndarray:
    return np.asarray(share * np.log(np.maximum(share, 1e-300)))


@dataclass(frozen=True)
class _Told:
    """What an attribute tells most: the class, the share beyond chance, and the chance of it."""

    attribute: Attribute
    label: int
    share: float
    chance: float


def _measure(attribute: Attribute, labels: np.ndarray, classes: int, rng: np.random.Generator) -> _Told:
    """``chance`` is 1 where the share is too small to be reported anyway: nothing is shuffled for that."""
    codes = _codes(attribute)
    told = shares_told(codes, labels, classes)
    label, share = int(told.argmax()), float(told.max())
    if share < attribute.least:
        return _Told(attribute, label, share, 1.0)
    shuffled = np.array([shares_told(codes, rng.permutation(labels), classes).max() for _ in range(SHUFFLES)])
    chance = (1 + int((shuffled >= share).sum())) / (1 + SHUFFLES)
    return _Told(attribute, label, share - float(shuffled.mean()), chance)


def find_associations(
    attributes: Sequence[Attribute], labels: np.ndarray, names: Sequence[str], seed: int = 0
) -> list[Finding]:
    """Attributes that tell a class; ``labels`` int64 (N,) as given. Every attribute counts in the correction."""
    if len(labels) < LEAST:
        return []
    rng = np.random.default_rng(seed)
    measured = sorted((_measure(one, labels, len(names), rng) for one in attributes), key=lambda one: one.chance)
    findings, worst = [], 0.0
    for rank, one in enumerate(measured):
        worst = max(worst, min(1.0, one.chance * (len(measured) - rank)))
        if one.share >= one.attribute.least and worst <= CHANCE:
            findings.append(_finding(one, worst, labels, names, len(measured)))
    return findings


def _finding(told: _Told, chance: float, labels: np.ndarray, names: Sequence[str], count: int) -> Finding:
    """The images of the class with the values that tell it."""
    attribute, label = told.attribute, told.label
    codes, mine = _codes(attribute), labels == label
    inside = np.bincount(codes[mine], minlength=int(codes.max()) + 1)
    share = inside / np.maximum(np.bincount(codes, minlength=len(inside)), 1)
    telling = ((share > mine.mean()) & (inside > 0)).nonzero()[0]
    members = (mine & np.isin(codes, telling)).nonzero()[0]
    values = share[codes[members]]
    members = members[np.argsort(-values, kind="stable")]
    said = _range_words(attribute, codes, telling)
    others = int((~mine & np.isin(codes, telling)).sum())
    sentence = (
        f"{attribute.title} alone says {told.share:.0%} of whether an image is “{names[label][:60]}”: {len(members):,} of "
        f"{int(mine.sum()):,} images of that class have {said}, and {others:,} of all {int((~mine).sum()):,} "
        "others. A network may learn that instead."
    )
    rule = (
        f"{attribute.least:.0%} of what there is to know of a class (of our own), chance {chance:.3f} after Holm's correction "
        f"for {count} attributes, from {SHUFFLES} shuffles"
    )
    return Finding(
        f"spurious_{attribute.name}", "data set", f"{attribute.title} tells “{names[label][:40]}”", sentence, rule, members,
        share[codes[members]], "share of the class among images with that value",
    )  # fmt: skip


def _range_words(attribute: Attribute, codes: np.ndarray, telling: np.ndarray) -> str:
    if attribute.words:
        shown = [f"“{attribute.words[code][:40]}”" for code in telling[:3]]
        return f"{', '.join(shown)}{', …' if len(telling) > 3 else ''}"
    values = attribute.values[np.isin(codes, telling)]
    return f"{values.min():.3g} to {values.max():.3g}"


def attributes_of(
    measures: Mapping[str, np.ndarray], texts: Mapping[str, Sequence[str]], labels: np.ndarray
) -> list[Attribute]:
    """Those that can be told apart here. ``measures`` and ``texts``: (N,) each by name, as far as they are known."""
    titles = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Saturation", "blur": "Blur"}
    found = [number_attribute(name, title, measures[name]) for name, title in titles.items() if name in measures]
    for name, title in (("size", "Size"), ("shape", "Shape")):
        found += [number_attribute(name, title, measures[name], True)] if name in measures else []
    words = {
        "suffix": "The kind of file",
        "above": "The folder above the class",
        "below": "The folder below it",
        "camera": "The camera",
    }
    found += [
        text_attribute(name, title, texts[name], labels, name == "above") for name, title in words.items() if name in texts
    ]
    return [one for one in found if one is not None]
