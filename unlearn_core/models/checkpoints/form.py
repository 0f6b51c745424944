"""What was taken from a checkpoint, in sentences, and its form, so that other weights can be written as these came."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from unlearn_core.errors import UserError
from unlearn_core.models.checkpoints.checkpoint import Content
from unlearn_core.models.checkpoints.unwrapping import PIXELS, Taken, some

_PLAIN = str | int | float | bool | None
_MOST_ENTRIES, _MOST_VALUES = 1_000, 10_000
"""Entries that are written again, and values in one of them."""


@dataclass(frozen=True)
class Form:
    """How a network's weights lay in a file: under the dictionaries ``path``, names after ``prefix``, of these ``dtypes`` and
    in this order. ``beside`` are other tensors among the weights (a normalisation, a count), ``around`` plain values in the
    dictionaries above them, ``left_out`` what is not written again. ``old``: torch.save's form of before PyTorch 1.6.
    """

    path: tuple[str, ...]
    prefix: str
    dtypes: Mapping[str, torch.dtype]
    order: tuple[str, ...]
    beside: Mapping[str, torch.Tensor] = field(default_factory=dict)
    around: tuple[Mapping[str, Any], ...] = ()
    left_out: tuple[str, ...] = ()
    old: bool = False

    def rename_state(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """``state`` under the file's names, in its order and precision, with the other tensors that lay there.

        Raises :class:`UserError` where a number is too large for the precision.
        """
        made: dict[str, torch.Tensor] = OrderedDict()
        for key in self.order:
            own = key.removeprefix(self.prefix)
            if own in self.dtypes:
                made[key] = state[own].detach().to(self.dtypes[own]).contiguous()
                if made[key].is_floating_point() and not torch.isfinite(made[key]).all():
                    raise UserError(
                        f"The weights {own!r} are too large for {_short(self.dtypes[own])}, the precision that the checkpoint "
                        "came in; write the model as .pt2, which keeps float32."
                    )
            else:
                made[key] = self.beside[key]
        return made

    def nest_state(self, named: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        """``named`` inside the dictionaries of the file, with their plain values."""
        inner: dict[str, Any] = named  # type: ignore[assignment]
        for key, around in zip(reversed(self.path), reversed(self.around), strict=True):
            inner = {**around, key: inner}
        return inner

    @property
    def words(self) -> str:
        """The form in a sentence."""
        kinds = sorted({_short(dtype) for dtype in self.dtypes.values() if dtype.is_floating_point})
        parts = [f"precision {' and '.join(kinds)}"]
        if self.path:
            parts.append(f"under {'.'.join(self.path)!r}")
        if self.prefix:
            parts.append(f"names beginning with {self.prefix!r}")
        if self.old:
            parts.append("written as PyTorch of before 1.6 wrote")
        return f"As the checkpoint came: {', '.join(parts)}."


def describe_taken(content: Content, taken: Taken) -> list[str]:
    """What was unwrapped, left out and converted; sentences, none for a plain file of float32."""
    said = []
    where = [f"were found under {'.'.join(taken.path)!r}"] if taken.path else []
    if taken.prefix:
        where.append(f"had {taken.prefix!r} before every name, which was taken off")
    if where:
        said.append(f"The weights {' and '.join(where)}.")
    if taken.others:
        said.append(
            f"The file holds further weights that fit, under {some(list(taken.others))}; those "
            f"{f'under {taken.label!r} ' if taken.label else ''}were taken. --set model.part=NAME takes others."
        )
    left = [*_left(content, taken), *(key for key in taken.beside if not PIXELS.match(key))]  # a normalisation is said apart
    if left:
        said.append(f"Not used: {some(left)}.")
    kinds = {str(value.dtype).removeprefix("torch.") for value in taken.weights.values() if value.dtype.is_floating_point}
    if kinds - {"float32"}:
        said.append(f"The weights are {' and '.join(sorted(kinds))} in the file; they are computed with as float32.")
    return said


def form_of(content: Content, taken: Taken) -> Form:
    """How these weights lay in their file."""
    order, beside = [], {}
    for key, value in taken.among.items():
        own = key.removeprefix(taken.prefix) if isinstance(key, str) and key.startswith(taken.prefix) else ""
        if own in taken.weights:
            order.append(key)
        elif isinstance(key, str) and key in taken.beside:
            order.append(key)
            beside[key] = content.build(value).detach().clone()
    around, level = [], content.tree
    for key in taken.path:
        around.append(_plain_entries(level, key))
        level = level[key]
    dtypes = {key: value.dtype for key, value in taken.weights.items()}
    left = (*_left(content, taken, tuple(around)), *(f"the weights under {label!r}" for label in taken.others))
    return Form(taken.path, taken.prefix, dtypes, tuple(order), beside, tuple(around), left, content.kind == "torch before 1.6")


def _left(content: Content, taken: Taken, kept: tuple[Mapping[str, Any], ...] = ()) -> list[str]:
    """Names of the entries beside the weights on the way to them, but for those in ``kept``."""
    found, level = [], content.tree
    for depth, key in enumerate(taken.path):
        others = [str(name) for name in level if name != key and (depth >= len(kept) or name not in kept[depth])]
        found += [name for name in others if not any(label.split(".")[0] == name for label in taken.others)]
        level = level[key]
    return found


class _NotPlain(Exception):
    """A value that only a program of its own can read."""


def _plain_entries(level: Mapping[Any, Any], without: str) -> dict[str, Any]:
    """The entries of a dictionary that any program can read again: numbers and text, lists and dictionaries of them."""
    found: dict[str, Any] = {}
    for name, value in list(level.items())[:_MOST_ENTRIES]:
        if name != without and isinstance(name, str):
            try:
                found[name] = _plain(value, [_MOST_VALUES])
            except (_NotPlain, RecursionError):
                continue
    return found


def _plain(value: Any, left: list[int]) -> Any:
    left[0] -= 1  # one list may stand in another many times, and unfold to more than the file holds
    if left[0] < 0 or not isinstance(value, _PLAIN | list | tuple | dict):
        raise _NotPlain
    if isinstance(value, list | tuple):
        return type(value)(_plain(item, left) for item in value)
    if isinstance(value, dict):
        if not all(isinstance(key, _PLAIN) for key in value):
            raise _NotPlain
        return {key: _plain(item, left) for key, item in value.items()}
    return value


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
