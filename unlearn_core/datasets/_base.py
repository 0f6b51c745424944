"""The in-memory data type, the base of every source, and the registry."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch

from unlearn_core.parts import Part, PartRegistry
from unlearn_core.specs import DatasetSpec, TrainingSpec, TriggerSpec

Family = Literal["points", "digits", "photos"]
"""What kind of data it is; methods keep one set of defaults per family."""

registry = PartRegistry("dataset", "unlearn_core.datasets")


@dataclass(frozen=True)
class LabelledData:
    """Examples with one label each.

    ``inputs``: uint8 of shape (N, C, H, W) for images, float32 of shape (N, 2) for points in the plane.
    ``labels``: int64 of shape (N,). ``class_names``: one per class; class ``k`` is ``class_names[k]``.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.labels):
            raise ValueError(f"{len(self.inputs)} inputs but {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def is_image(self) -> bool:
        return self.inputs.dim() == 4

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return tuple(self.inputs.shape[1:])


@dataclass(frozen=True)
class Split:
    """Training and test data of one dataset and seed, both with clean labels."""

    train: LabelledData
    test: LabelledData


@dataclass(frozen=True)
class Preset:
    """What a dataset gets when the user doesn't say otherwise."""

    model: str
    training: TrainingSpec
    model_params: dict[str, Any]
    class_a: int
    class_b: int
    target_class: int = 0
    trigger: TriggerSpec = field(default_factory=TriggerSpec)


class DatasetSource(Part):
    """One place where labelled data come from. Subclasses give ``load`` and a ``preset``."""

    family: ClassVar[Family]
    preset: ClassVar[Preset]
    flip: ClassVar[bool] = False  # whether a mirror image keeps its class
    displacement: ClassVar[tuple[float, float] | None] = None  # the trigger of 2-D data
    sizes: ClassVar[tuple[int, int] | None] = None  # (train, test), where known before loading

    @classmethod
    def load(cls, params: Any, seed: int) -> Split:
        """Training and test data; the split depends on ``seed`` alone."""
        raise NotImplementedError

    @classmethod
    def describe(cls) -> dict[str, Any]:
        return super().describe() | {"family": cls.family, "sizes": cls.sizes, "model": cls.preset.model}


def stratified_split(data: LabelledData, test: int, seed: int) -> Split:
    """Split off ``test`` examples, each class keeping its share; the same seed gives the same split."""
    from sklearn.model_selection import train_test_split  # a second of every start, needed only where data are loaded

    train_ids, test_ids = train_test_split(
        torch.arange(len(data)).numpy(), test_size=test, random_state=seed, stratify=data.labels.numpy()
    )
    parts = [torch.from_numpy(ids).sort().values for ids in (train_ids, test_ids)]
    train, held = (LabelledData(data.inputs[ids], data.labels[ids], data.class_names) for ids in parts)
    return Split(train, held)


@functools.lru_cache(maxsize=8)
def _load(name: str, params: tuple[tuple[str, Any], ...], seed: int) -> Split:
    source = registry.get(name)
    return source.load(source.params(dict(params)), seed)


def load_dataset(spec: DatasetSpec, seed: int) -> Split:
    """The data of ``spec``, split by ``seed``; the last few are kept in memory."""
    return _load(spec.name, tuple(sorted(spec.params.items())), seed)
