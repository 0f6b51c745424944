"""A corruption that takes the dial's place: what it changes, its base, and the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from typing_extensions import TypeVar

from unlearn_core.component import ComponentParams, ComponentRegistry, SourceComponent
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError


@dataclass(frozen=True)
class Change:
    """What is changed in the training set: ``indices`` int64 (n,), each once; ``labels`` int64 (n,), which these examples are
    given; ``inputs`` (n, …) of the data's own type, or None where the inputs stay as they are."""

    indices: torch.Tensor
    labels: torch.Tensor
    inputs: torch.Tensor | None = None


P = TypeVar("P", bound=ComponentParams, default=ComponentParams)


class Corruption(SourceComponent[P]):
    """One way to go wrong. Subclasses set ``name``, ``label`` and ``summary``, and implement ``change``.

    The order of what it returns is the order of discovery: at a low rate the first examples are the known ones.
    """

    @classmethod
    def change(cls, params: P, train: LabelledData, count: int, seed: int) -> Change:
        """Which ``count`` training examples become what; equal arguments give equal results. ``train`` is clean."""
        raise NotImplementedError


registry: ComponentRegistry[Corruption[Any]] = ComponentRegistry("corruption", "unlearn_core.corruption")


def check_change(name: str, made: Change, train: LabelledData, count: int) -> None:
    """Raise :class:`UserError` for a change that is none of ``count`` examples of ``train``."""
    problem = ""
    if not 0 < len(made.indices) <= count or len(made.labels) != len(made.indices):
        problem = f"it changes {len(made.indices)} examples and {len(made.labels)} labels where {count} were asked for"
    elif int(made.indices.min()) < 0 or int(made.indices.max()) >= len(train) or len(made.indices.unique()) < len(made.indices):
        problem = "it names an example twice, or one that is not there"
    elif int(made.labels.min()) < 0 or int(made.labels.max()) >= train.classes:
        problem = "it gives a label that no class has"
    elif made.inputs is not None and (
        made.inputs.shape[1:] != train.inputs.shape[1:] or made.inputs.dtype != train.inputs.dtype
    ):
        problem = "it gives inputs of another shape or type"
    elif made.inputs is None and bool((made.labels == train.labels[made.indices]).any()):
        problem = "it calls an example corrupted that it leaves as it was"
    if problem:
        raise UserError(f"The corruption {name!r} cannot be used: {problem}.")
