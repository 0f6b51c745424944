"""Which half of the data a word or the name of a folder means: training, test, evaluation or validation."""

from __future__ import annotations

import re
from typing import Final

from unlearn_core.datasets.files.listing import SPLIT_NAMES
from unlearn_core.datasets.files.names import compose_name

_FILLERS: Final = frozenset(
    {"set", "sets", "data", "dataset", "datasets", "image", "images", "img", "imgs", "picture", "pictures", "photo", "photos"}
    | {"pic", "pics", "split", "splits", "folder", "sample", "samples", "files", "class", "classes"}
)
"""Words beside them that say nothing more: ``training_set``, ``images_test``."""
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HOLD_OUT = re.compile(r"(?i)(hold|held)[ _.-]?out")


def role_of(name: str) -> tuple[int | None, tuple[str, ...]]:
    """The half that the name of a folder means (None: none) and its other words.

    ``Training`` and ``train_set`` → (TRAIN, ()); ``seg_test`` → (TEST, ("seg",)); ``test_of_train`` says two → (None, …).
    """
    words = _WORD.findall(_HOLD_OUT.sub("holdout", compose_name(name)))
    words = [part.lower() for word in words for part in (_CAMEL.findall(word) if word.isascii() else [word])]
    roles, others = [], []
    for word in words:
        role = SPLIT_NAMES.get(word, SPLIT_NAMES.get(_without_filler(word)))
        if role is not None:
            roles.append(role)
        elif word not in _FILLERS:
            others.append(word)
    return (roles[0] if len(roles) == 1 else None), tuple(others)


def is_filler(name: str) -> bool:
    """Whether a name has nothing but words such as "images" and "data"."""
    role, others = role_of(name)
    return role is None and not others and bool(_WORD.search(name))


def _without_filler(word: str) -> str:
    """ "trainset" without "set"; the word itself where it ends in none of them."""
    ends = (word.removesuffix(filler) for filler in _FILLERS if word.endswith(filler))
    return next((end for end in ends if end in SPLIT_NAMES), word)
