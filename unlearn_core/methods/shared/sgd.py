"""What methods that train share: the recipe of a short run, one count of work over phases, and passes that keep statistics."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence

import torch
from pydantic import Field
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods.base import MethodParams, UnlearningTask
from unlearn_core.models import base_norms
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import DeviceData, Reporter, Trainer, autocast, batches
from unlearn_core.training.progress import SubProgress


class SgdParams(MethodParams):
    """The frame of the field's references: SGD with momentum and weight decay for some epochs."""

    epochs: int = Field(10, ge=1, le=200, description="Passes over the training examples")
    learning_rate: float = Field(0.01, gt=0, le=1, description="Highest learning rate")
    batch_size: int = Field(256, ge=1, le=8192, description="Examples in a step")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD")
    weight_decay: float = Field(5e-4, ge=0, le=0.1, description="Weight decay in every step")


_OF_PARAMS = ("epochs", "learning_rate", "batch_size", "momentum", "weight_decay", "clip")
"""What a method's parameters may say of a recipe, under the same names."""


def sgd_recipe(task: UnlearningTask, params: MethodParams, **changes: float | str) -> TrainingSpec:
    """The recipe of these parameters: SGD at a constant rate without warm-up, unless ``changes`` (of its fields) say otherwise;
    what neither names is as in training."""
    constant = {"optimizer": "sgd", "warmup": 0.0, "final": 1.0}
    own = {name: getattr(params, name) for name in _OF_PARAMS if hasattr(params, name)}
    return task.recipe.model_copy(update=constant | own | changes)


def phases(reporter: Reporter, *sizes: int) -> list[SubProgress]:
    """One reporter for each planned number of steps. A phase that ends early leaves its rest to the next one's first step."""
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    return [SubProgress(reporter, start, size, sum(sizes)) for start, size in zip(starts, sizes, strict=True)]


def count_batches(examples: int, size: int) -> int:
    """How many pieces :func:`batches` cuts this many examples into."""
    return len(batches(torch.arange(examples), size, torch.Generator().manual_seed(0))) if examples else 0


def train_in_turn(trainer: Trainer, parts: Sequence[torch.Tensor], reporter: Reporter) -> nn.Module:
    """Epochs that go through several sets one after the other, in train mode, at a constant rate; returns eval mode."""
    recipe, done = trainer.recipe, 0
    total = recipe.epochs * sum(count_batches(len(part), recipe.batch_size) for part in parts)
    for _ in range(recipe.epochs):
        trainer.model.train()
        for part in parts:
            for piece in batches(part, recipe.batch_size, trainer.generator) if len(part) else []:
                trainer.step(piece)
                done += 1
                reporter.step(done, total)
        reporter.snapshot(trainer.model)
    return trainer.model.eval()


class Cycle:
    """Endless shuffled batches over one set, to pair with the batches of another."""

    def __init__(self, ids: torch.Tensor, size: int, generator: torch.Generator) -> None:
        self.ids, self.size, self.generator = ids, size, generator
        self.queue: list[torch.Tensor] = []

    def __next__(self) -> torch.Tensor:
        if not self.queue:
            self.queue = batches(self.ids, self.size, self.generator)
        return self.queue.pop(0)


@contextlib.contextmanager
def statistics_kept(model: nn.Module) -> Iterator[None]:
    """Passes in here normalise by their batch as train mode does, but leave batch norm's running statistics alone.

    For the forget pass of methods that pair it with a retain pass: a handful of corrupted examples, repeated at every
    step, must not become half of what inference normalises by.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def measure_statistics(model: nn.Module, data: DeviceData, reporter: Reporter, ids: torch.Tensor | None = None) -> float | None:
    """Set batch norm's running statistics to the mean over plain batches of ``ids`` (all) with redirect off; eval mode then.

    A few steps at a high rate move the weights faster than a running mean can follow, or a slow one ever arrives: without
    this the network would be normalised by numbers that belong to no function it ever computed. Norms that are frozen keep
    theirs, and nothing else is in train mode: dropout or skipped blocks would measure another function. Returns the accuracy
    of these passes on given labels; None where there is nothing to measure, and no pass.
    """
    norms = [norm for norm in base_norms(model) if norm.track_running_stats and not _frozen(norm)]
    ids = torch.arange(len(data), device=data.device) if ids is None else ids
    model.eval()
    if not norms or len(ids) < 2:
        return None
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over batches
        norm.train()
    right = torch.zeros((), dtype=torch.int64, device=data.device)
    with torch.no_grad(), autocast(data.device):
        for piece in _measured(model, data, ids):
            if reporter.cancelled():
                raise Cancelled
            right += (model(data.batch(piece)).argmax(1) == data.labels[piece]).sum()
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    model.eval()
    return right.item() / len(ids)


def _frozen(norm: nn.Module) -> bool:
    parameters = list(norm.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)


_MEASURED, _PIXELS = 1024, 2**22
"""Examples, and pixels, that are normalised together where statistics are measured."""


def _measured(model: nn.Module, data: DeviceData, ids: torch.Tensor) -> Sequence[torch.Tensor]:
    """``ids`` in pieces, the last never a single example, which has no spread of its own to be normalised by."""
    shape = getattr(model, "size", None) or data.inputs.shape[2:]
    pieces = list(ids.split(max(16, min(_MEASURED, _PIXELS // max(1, math.prod(shape))))))
    if len(pieces) > 1 and len(pieces[-1]) == 1:
        pieces[-2:] = [torch.cat(pieces[-2:])]
    return pieces
