"""A matrix of label noise as text, such as ``truck>automobile 0.4; cat<>dog 0.4``, and the usual one of a dataset."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Final

import torch

from unlearn_core.corruption.noise.weak_model import scores_out_of_fold, second_choice
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError

Rates = dict[tuple[int, int], float]
"""(right class, given class) → how often, in relation to the others."""

CONVENTIONS: Final = (
    "truck>automobile; bird>airplane; deer>horse; cat<>dog",
    "7>1; 2>7; 5<>6; 3>8",
    "30<>80; stop>no entry; danger>yield; left<>ahead; parking>ahead",
    "T-shirt/top<>Shirt; Pullover<>Coat; Sneaker>Ankle boot; Dress>Coat",
)
"""Pairs for data whose classes have these names. CIFAR-10 and handwritten digits: Patrini et al. 2017, arXiv:1609.03683; road
signs and clothes: what is of the same shape and colour."""
_ARROW = re.compile(r"<>|->|>|→|↔")
_RATE = re.compile(r"\s+([\d.]+%?)$")


def parse_matrix(text: str, names: Sequence[str]) -> Rates:
    """What the text says; names of classes come before their numbers. Raises :class:`UserError` in one sentence."""
    rates: Rates = {}
    for entry in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        right, arrow, rest = _split(entry)
        given, rate = _given_and_rate(rest, entry, names)
        one = find_class(right, names)
        if one == given:
            raise UserError(f"The matrix entry {entry!r} gives {names[one]!r} its own label.")
        for pair in ((one, given), (given, one))[: 2 if arrow in ("<>", "↔") else 1]:
            if pair in rates:
                raise UserError(f"The matrix gives {names[pair[0]]!r} > {names[pair[1]]!r} twice.")
            rates[pair] = rate
    if not rates:
        raise UserError("The matrix names no pair of classes; write it like cat>dog 0.4; truck<>automobile 0.2.")
    return rates


def write_matrix(rates: Mapping[tuple[int, int], float], names: Sequence[str]) -> str:
    """The text that :func:`parse_matrix` reads back."""
    return "; ".join(f"{names[a]}>{names[b]} {rate:g}" for (a, b), rate in rates.items())


def usual_rates(train: LabelledData, seed: int) -> Rates:
    """What is taken where no matrix is given: the convention for classes of these names; without one, each class and the one
    that the weak model, on training data alone, takes its examples for most readily."""
    names = train.class_names
    for text in CONVENTIONS:
        mentioned = {part.strip().lower() for entry in text.split(";") for part in _ARROW.split(entry)}
        if mentioned <= {name.lower() for name in names}:
            return parse_matrix(text, names)
    other, below = second_choice(scores_out_of_fold(train, seed), train.labels)
    votes = torch.zeros(train.classes, train.classes, dtype=torch.float64)
    votes.index_put_((train.labels, other), torch.where(below < 0, 1.0, 1e-3).double(), accumulate=True)
    return {(k, int(votes[k].argmax())): 1.0 for k in range(train.classes) if votes[k].sum() > 0}


def find_class(text: str, names: Sequence[str]) -> int:
    """The class of this name, or else of this number; raises :class:`UserError` with the nearest name."""
    wanted = text.strip()
    for k, name in enumerate(names):
        if name == wanted or name.lower() == wanted.lower():
            return k
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= 6 and int(wanted) < len(names):
        return int(wanted)
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f"; did you mean {near[0]!r}" if near else ""
    raise UserError(f"There is no class {wanted[:40]!r} here{hint}; the classes are {', '.join(map(str, names[:12]))}.")


def _split(entry: str) -> tuple[str, str, str]:
    found = _ARROW.search(entry)
    if found is None:
        raise UserError(f"The matrix entry {entry[:60]!r} has no arrow; write it like cat>dog 0.4 or cat<>dog 0.4.")
    return entry[: found.start()], found.group(), entry[found.end() :].strip()


def _given_and_rate(text: str, entry: str, names: Sequence[str]) -> tuple[int, float]:
    """Class and rate behind an arrow; a name that ends in a number is a name where there is such a class."""
    found = _RATE.search(text)
    if found is None or text.lower() in {name.lower() for name in names}:
        return find_class(text, names), 1.0
    try:
        rate = float(found[1].removesuffix("%")) / (100 if found[1].endswith("%") else 1)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1:
        raise UserError(f"The rate in the matrix entry {entry[:60]!r} must be above 0 and at most 1.")
    return find_class(text[: found.start()], names), rate
