"""What every dataset and every network must do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_args

import torch

from unlearn_core.contracts.contract import Broken, Checks, require
from unlearn_core.datasets import DatasetSource, LabelledData, Split
from unlearn_core.datasets.base import Family
from unlearn_core.errors import UserError
from unlearn_core.evaluation import build_scenario_data
from unlearn_core.models import ModelSource, RedirectNet, build_model
from unlearn_core.models import registry as models
from unlearn_core.presets import make_scenario
from unlearn_core.specs import ModelSpec

SHAPES = ((2,), (1, 8, 8), (3, 32, 32))
"""Examples that a network is tried on: points, small grey images, colour images."""
_CLASSES = 4


@dataclass
class DatasetCase:
    """A dataset with the parameters that it is checked with; loaded once."""

    source: type[DatasetSource[Any]]
    values: dict[str, Any] = field(default_factory=dict)
    seed: int = 100

    def load(self, seed: int | None = None) -> Split:
        source = self.source
        return source.load(source.params(source.full_params(self.values)), self.seed if seed is None else seed)


def describe_dataset(case: DatasetCase) -> None:
    """Names, parameters with limits, a known family, and a preset whose network and classes exist."""
    source = case.source
    require(not source.faults(), "; ".join(source.faults()))
    family = getattr(source, "family", "")
    require(family in get_args(Family), f"its family {family!r} is none of {', '.join(get_args(Family))}")
    require(hasattr(source, "preset"), "it has no preset")
    require(source.preset.model in models.names(), f"its preset names the network {source.preset.model!r}, which is not here")


def load_labelled_data(case: DatasetCase) -> None:
    """uint8 images (N, C, H, W) or float32 points (N, 2), int64 labels of known classes, in both halves."""
    split = case.load()
    for name, part in (("training", split.train), ("test", split.test)):
        _check_half(name, part)
    require(split.train.class_names == split.test.class_names, "its halves do not have the same classes")
    require(split.train.shape == split.test.shape, "its halves do not have examples of the same shape")
    found = split.train.labels.bincount(minlength=split.train.classes)
    require(bool((found > 0).all()), "a class has no training example")


def _check_half(name: str, part: LabelledData) -> None:
    x, y = part.inputs, part.labels
    require(len(part) > 0, f"its {name} half is empty")
    images = x.dim() == 4 and x.dtype == torch.uint8
    points = x.dim() == 2 and x.shape[1] == 2 and x.dtype == torch.float32
    require(images or points, f"its {name} inputs are {x.dtype} {tuple(x.shape)}, not uint8 (N, C, H, W) or float32 (N, 2)")
    require(y.dtype == torch.int64, f"its {name} labels are {y.dtype}, not int64")
    require(int(y.min()) >= 0 and int(y.max()) < part.classes, f"its {name} labels name classes that have no name")
    require(bool(torch.isfinite(x.float()).all()), f"its {name} inputs are not finite numbers")


def split_by_the_seed(case: DatasetCase) -> None:
    """The same seed gives the same bits, whatever random numbers were drawn elsewhere."""
    one = case.load()
    torch.rand(5)
    other = case.load()
    same = torch.equal(one.train.inputs, other.train.inputs) and torch.equal(one.train.labels, other.train.labels)
    require(same and torch.equal(one.test.inputs, other.test.inputs), "loading it twice with one seed gives different data")


def become_a_scenario(case: DatasetCase) -> None:
    """It can be corrupted along the whole dial with its own preset."""
    for regularity in (0.0, 0.5, 1.0):
        overrides = {f"dataset.{name}": value for name, value in case.values.items()}
        scenario = make_scenario(case.source.name, regularity=regularity, seed=case.seed, overrides=overrides)
        split = case.load()
        build_scenario_data(scenario, torch.device("cpu"), split)


DATASET_CHECKS: Checks[DatasetCase] = {
    "describes itself": describe_dataset,
    "loads labelled data": load_labelled_data,
    "gives the same data for the same seed": split_by_the_seed,
    "can be corrupted at every regularity": become_a_scenario,
}


@dataclass
class NetworkCase:
    """A network with the parameters that it is checked with, on a shape that it takes."""

    source: type[ModelSource[Any]]
    values: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = SHAPES

    def build(self, seed: int = 0) -> tuple[RedirectNet, torch.Tensor]:
        """A network and a batch of four examples for it; raises :class:`Broken` where it takes none of the shapes."""
        why: list[str] = []
        moments = torch.tensor(0.0), torch.tensor(1.0)
        for shape in self.shapes:
            spec = ModelSpec(name=self.source.name, params=self.source.full_params(self.values))
            try:
                model = build_model(spec, shape, _CLASSES, seed, moments)
            except UserError as error:
                why.append(str(error))
                continue
            return model, torch.randn(4, *shape, generator=torch.Generator().manual_seed(1))
        raise Broken(f"it takes none of the shapes that were tried: {' '.join(why)}")


def describe_network(case: NetworkCase) -> None:
    """Names, and parameters with limits."""
    require(not case.source.faults(), "; ".join(case.source.faults()))


def give_logits(case: NetworkCase) -> None:
    """Finite logits (B, classes), and features (B, D)."""
    model, x = case.build()
    model.eval()
    with torch.no_grad():
        logits, features = model(x), model.features(x)
    require(tuple(logits.shape) == (len(x), _CLASSES), f"it gives {tuple(logits.shape)}, not {(len(x), _CLASSES)}")
    require(bool(torch.isfinite(logits).all()), "its outputs are not finite numbers")
    require(features.dim() == 2 and len(features) == len(x), f"its features are {tuple(features.shape)}, not (B, D)")


def start_from_the_seed(case: NetworkCase) -> None:
    """The same seed gives the same weights, another one others."""
    one, other, third = (case.build(seed)[0].state_dict() for seed in (0, 0, 1))
    require(all(torch.equal(value, other[name]) for name, value in one.items()), "one seed gives different weights")
    require(any(not torch.equal(value, third[name]) for name, value in one.items()), "every seed gives the same weights")


def widen_without_a_trace(case: NetworkCase) -> None:
    """With redirect off a widened network computes what it did; narrowed it has the same names again."""
    model, x = case.build()
    model.eval()
    with torch.no_grad():
        before, names = model(x), set(model.state_dict())
        model.widen(1.0, seed=3)
        model.eval()
        require(torch.equal(model(x), before), "redirect channels change what it computes with redirect off")
        masked = model(x, torch.zeros(1, model.redirect_channels))
        require(torch.allclose(masked, before, atol=1e-5), "a mask of zeros is not the same as redirect off")
        model.narrow()
        require(torch.equal(model(x), before), "dropping the redirect channels changes what it computes")
    require(set(model.state_dict()) == names, "dropping the redirect channels leaves other names in its state dict")


NETWORK_CHECKS: Checks[NetworkCase] = {
    "describes itself": describe_network,
    "gives finite logits and features": give_logits,
    "has the same weights for the same seed": start_from_the_seed,
    "takes redirect channels and drops them without a trace": widen_without_a_trace,
}
