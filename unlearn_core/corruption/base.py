"""A corruption that takes the dial's place: what it changes, the marks that it tests with, its base, and the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from typing_extensions import TypeVar

from unlearn_core.component import ComponentParams, ComponentRegistry, SourceComponent
from unlearn_core.corruption.kinds import KINDS
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError
from unlearn_core.specs import CorruptionSpec, TriggerSpec


@dataclass(frozen=True)
class Change:
    """What is changed in the training set: ``indices`` int64 (n,), each once; ``labels`` int64 (n,), which these examples are
    given; ``inputs`` (n, …) of the data's own type, or None where the inputs stay as they are.

    ``kinds``: int8 (n,), numbers of ``corruption.kinds``; None: label noise, or "from a plug-in". ``beside``: indices and
    inputs of further examples that change but are no part of the corrupted set.
    """

    indices: torch.Tensor
    labels: torch.Tensor
    inputs: torch.Tensor | None = None
    kinds: torch.Tensor | None = None
    beside: tuple[torch.Tensor, torch.Tensor] | None = None


@dataclass(frozen=True)
class Mark:
    """What can be put on test images to see whether a model follows it. ``target``: the class that it asks for, None where it
    asks for none; ``kind``: the number of the corrupted examples that carry it."""

    label: str
    trigger: TriggerSpec
    kind: int
    target: int | None = None


@dataclass(frozen=True)
class Asked:
    """What a corruption is made from: the clean training half, how many examples to corrupt, the seed, what else the scenario
    says (target class, trigger), and the displacement that is the trigger of points."""

    train: LabelledData
    count: int
    seed: int
    spec: CorruptionSpec
    displacement: tuple[float, float] | None = None

    @property
    def target(self) -> int:
        """The scenario's target class; raises :class:`UserError` where there is no such class."""
        if self.spec.target_class >= self.train.classes:
            raise UserError(
                f"target_class must be below {self.train.classes}, the number of classes (got {self.spec.target_class})."
            )
        return self.spec.target_class


P = TypeVar("P", bound=ComponentParams, default=ComponentParams)


class Corruption(SourceComponent[P]):
    """One way to go wrong. Subclasses set ``name``, ``label`` and ``summary``, and implement ``change``, or ``make`` where they
    need more of the scenario.

    The order of what it returns is the order of discovery: at a low rate the first examples are the known ones.
    """

    paper: ClassVar[str] = ""
    """Where it was published."""
    place: ClassVar[float | None] = None
    """Where it is filed, as the scenario's regularity; None: wherever the dial stands. Where it is can be measured."""
    own_amount: ClassVar[bool] = False
    """Whether its parameters say how many examples are corrupted, so that the amount has no meaning."""
    labels_right: ClassVar[bool] = False
    """Whether corrupted examples keep their right label: the image is what is wrong with them."""
    images_only: ClassVar[bool] = False
    """Whether points in the plane cannot be corrupted like this."""

    @classmethod
    def change(cls, params: P, train: LabelledData, count: int, seed: int) -> Change:
        """Which ``count`` training examples become what; equal arguments give equal results. ``train`` is clean."""
        raise NotImplementedError

    @classmethod
    def make(cls, params: P, asked: Asked) -> Change:
        """The same from everything that the scenario says."""
        return cls.change(params, asked.train, asked.count, asked.seed)

    @classmethod
    def marks(cls, params: P, spec: CorruptionSpec, classes: int) -> tuple[Mark, ...]:
        """What is put on test images, one after the other; none where it has no mark."""
        return ()


registry: ComponentRegistry[Corruption[Any]] = ComponentRegistry("corruption", "unlearn_core.corruption", families=True)


def check_change(source: type[Corruption[Any]], made: Change, asked: Asked) -> None:
    """Raise :class:`UserError` for a change that is none of as many examples of the training set as asked for."""
    train = asked.train
    most = (len(train) + 1) // 2 if source.own_amount else asked.count
    problem = ""
    if not 0 < len(made.indices) <= most or len(made.labels) != len(made.indices):
        problem = f"it changes {len(made.indices)} examples and {len(made.labels)} labels where {most} were asked for"
    elif _no_indices(made.indices, train):
        problem = "it names an example twice, or one that is not there"
    elif int(made.labels.min()) < 0 or int(made.labels.max()) >= train.classes:
        problem = "it gives a label that no class has"
    elif made.inputs is not None and _other_form(made.inputs, train):
        problem = "it gives inputs of another shape or type"
    elif made.inputs is None and bool((made.labels == train.labels[made.indices]).any()):
        problem = "it calls an example corrupted that it leaves as it was"
    elif source.labels_right and bool((made.labels != train.labels[made.indices]).any()):
        problem = "it gives a wrong label and says that its labels are right"
    problem = problem or _further_problem(made, train)
    if problem:
        raise UserError(f"The corruption {source.name!r} cannot be used: {problem}.")


def _further_problem(made: Change, train: LabelledData) -> str:
    """What is wrong with the kinds and with what changes beside; "" where nothing is."""
    if made.kinds is not None and (len(made.kinds) != len(made.indices) or _outside(made.kinds, len(KINDS))):
        return "it gives its examples a kind that there is not"
    if made.beside is not None:
        indices, inputs = made.beside
        if len(indices) and (_no_indices(torch.cat([made.indices, indices]), train) or _other_form(inputs, train)):
            return "what it changes beside its examples are none of the others"
    return ""


def _no_indices(indices: torch.Tensor, train: LabelledData) -> bool:
    return _outside(indices, len(train)) or len(indices.unique()) < len(indices)


def _outside(values: torch.Tensor, end: int) -> bool:
    return int(values.min()) < 0 or int(values.max()) >= end


def _other_form(inputs: torch.Tensor, train: LabelledData) -> bool:
    return inputs.shape[1:] != train.inputs.shape[1:] or inputs.dtype != train.inputs.dtype
