"""The network's own weights in what a training script saved: out of nested dictionaries, without a prefix of all names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from unlearn_core.errors import UserError
from unlearn_core.models.checkpoints.pickles import Lazy

Tree = Mapping[Any, Any]
Tensor = Lazy | torch.Tensor
"""A tensor that was read, or the description of one; both have a shape and a dtype."""
DEEPEST = 4
"""Dictionaries inside one another that are looked through."""
_COPIES = re.compile(r"ema|averag|swa|shadow|teacher|momentum", re.IGNORECASE)
"""Names of a second copy of the weights: moving averages and what is kept beside the network that was trained."""
_COUNTERS = re.compile(r"(^|\.)(n_averaged|total_ops|total_params)$")
"""What averaging and profiling leave among the weights: counts, not weights."""
PIXELS = re.compile(r"^(?P<stem>(.*\.)?)_?(?P<kind>(pixel_|image_)?(mean|std)|mu|sigma)$")
"""Means and deviations of pixels, as a layer in front of a network keeps them."""
_SOME = 3


@dataclass(frozen=True)
class Taken:
    """Where a network's weights lie: under ``path``, their names begin with ``prefix``. ``weights``: tensors by the network's
    own names; ``beside``: other tensors among them, by the file's names; ``others``: labels of further copies in the file."""

    path: tuple[str, ...]
    prefix: str
    among: Tree
    weights: dict[str, Tensor]
    beside: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What names this copy among others: "state_dict.model"."""
        return ".".join([*self.path, *([self.prefix.rstrip(".")] if self.prefix else [])])


def is_tensor(value: object) -> bool:
    """Whether this is a tensor, or the description of one."""
    return isinstance(value, Lazy | torch.Tensor)


def mappings(tree: object) -> Iterator[tuple[tuple[str, ...], Tree]]:
    """The dictionaries of a file, outer ones first, each once, with the names above them."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), tree)]
    seen: set[int] = set()
    while waiting:
        path, found = waiting.pop(0)
        if not isinstance(found, Mapping) or id(found) in seen:
            continue
        seen.add(id(found))
        yield path, found
        if len(path) < DEEPEST:
            waiting += [((*path, key), value) for key, value in found.items() if isinstance(key, str)]


def take(tree: Tree, expected: Mapping[str, torch.Tensor], head: str, part: str, name: str, architecture: str) -> Taken:
    """The weights for a network whose own state dict is ``expected`` and whose last layer is ``head``.

    Where the file holds several copies, the one that ``part`` names; without it the one that is no moving average. Raises
    :class:`UserError` in one sentence where none fits, where something is left over, or where the choice is not clear.
    """
    needed = [key for key in expected if not key.endswith("num_batches_tracked")]
    found = list(_candidates(tree, needed, head))
    whole = [one for one in found if all(key in one.weights for key in needed)]
    if not whole:
        raise UserError(_why_not(tree, found, expected, needed, name, architecture))
    chosen = _choose(whole, part, name)
    others = [one for one in whole if one is not chosen]
    claimed = {one.prefix + key for one in whole if one.among is chosen.among for key in expected}
    rest = [key for key, value in chosen.among.items() if isinstance(key, str) and is_tensor(value) and key not in claimed]
    surplus = [key for key in rest if key.startswith(chosen.prefix) and not _COUNTERS.search(key) and not _pixels(key, rest)]
    if surplus:
        raise UserError(
            f"The checkpoint {name!r} does not fit {architecture}: it has {some(surplus)}, which the network has not."
        )
    weights = {key: chosen.among[chosen.prefix + key] for key in expected if chosen.prefix + key in chosen.among}
    labels = tuple(one.label for one in others)
    return Taken(chosen.path, chosen.prefix, chosen.among, weights, tuple(rest), labels)


def _candidates(tree: Tree, needed: list[str], head: str) -> Iterator[Taken]:
    """Every place whose names end like the network's own, with what was found there."""
    anchors = {needed[0], needed[-1], f"{head}.weight"}
    for path, among in mappings(tree):
        names = [key for key, value in among.items() if isinstance(key, str) and is_tensor(value)]
        ends = {key[: -len(a)] for a in anchors for key in names if key == a or key.endswith(f".{a}")}
        for prefix in sorted(ends):
            weights = {key: among[prefix + key] for key in needed if is_tensor(among.get(prefix + key))}
            yield Taken(path, prefix, among, weights)


def _choose(whole: list[Taken], part: str, name: str) -> Taken:
    labels = " and ".join(repr(one.label or "the top") for one in whole)
    if part:
        for one in whole:
            if part in (one.label, ".".join(one.path)):
                return one
        raise UserError(f"The checkpoint {name!r} holds no weights under {part!r}; those that fit are {labels}.")
    plain = [one for one in whole if not _COPIES.search(one.label)] or whole
    first = plain[0]
    if len(plain) > 1 and not all(_same(first, one) for one in plain[1:]):
        raise UserError(
            f"The checkpoint {name!r} holds more than one network that fits: {labels}; say which with --set model.part=NAME."
        )
    return first


def _same(one: Taken, other: Taken) -> bool:
    """Whether two copies are the same numbers in the file."""
    return all(isinstance(value, Lazy) and other.weights.get(key) == value for key, value in one.weights.items())


def _pixels(key: str, names: list[str]) -> bool:
    """Whether this is a mean or deviation of pixels, with its partner beside it."""
    found = PIXELS.match(key)
    return found is not None and any(
        other != key and (match := PIXELS.match(other)) is not None and match["stem"] == found["stem"] for other in names
    )


def _why_not(
    tree: Tree, found: list[Taken], expected: Mapping[str, torch.Tensor], needed: list[str], name: str, architecture: str
) -> str:
    """The sentence for a file in which no network of this architecture is whole."""
    if found:
        best = max(found, key=lambda one: len(one.weights))
        among, prefix = best.among, best.prefix
    else:
        among, prefix = max((one for _, one in mappings(tree)), key=lambda one: len(_tensors(one)), default={}), ""
    names = _tensors(among)
    if not names:
        return f"The checkpoint {name!r} holds no weights by name: save the network's state_dict()."
    lacking = [key for key in needed if prefix + key not in names]
    beyond = [key for key in names if not key.startswith(prefix) or key[len(prefix) :] not in expected]
    begin = f" (its names begin with {prefix!r})" if prefix else _common(names)
    parts = [f"lacks {some(lacking)}"] + ([f"has {some(beyond)}, which the network has not"] if beyond else [])
    return f"The checkpoint {name!r} does not fit {architecture}{begin}: it {' and '.join(parts)}."


def _tensors(among: Tree) -> list[str]:
    return [key for key, value in among.items() if isinstance(key, str) and is_tensor(value)]


def _common(names: list[str]) -> str:
    first = names[0].partition(".")[0] + "."
    return f" (all its names begin with {first!r})" if all(key.startswith(first) for key in names) else ""


def some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(repr(name[:80]) for name in names[:_SOME])
    return shown + (f" and {len(names) - _SOME:,} more" if len(names) > _SOME else "")
