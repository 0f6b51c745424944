"""What networks say where no error is known: one that is watched while it learns, and some that never saw part of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.models import RedirectNet
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import DeviceData, FreshTrainer, Reporter, autocast, predict, real
from unlearn_core.training.progress import RepeatProgress, StepProgress

WATCHED, LEFT_OUT = 4243, 5519
"""Added to the task's seed: other networks than the original. The first is that of ``rem_discover``'s watched run."""
_GRADIENT_EXAMPLES = 256
"""Examples of one pass with gradients: as many as training takes at a time."""


class Trainable(Protocol):
    """What it takes to train the original's like: data with their given labels, a factory of networks, recipe and seed."""

    @property
    def data(self) -> DeviceData: ...
    @property
    def fresh_model(self) -> Callable[[int], RedirectNet]: ...
    @property
    def recipe(self) -> TrainingSpec: ...
    @property
    def seed(self) -> int: ...


def shorten(recipe: TrainingSpec) -> TrainingSpec:
    """Half of the epochs: what fits the rest is learned by then, and little has been learned by heart."""
    return recipe.model_copy(update={"epochs": max(1, recipe.epochs // 2)})


class HistoryRecorder(StepProgress):
    """Keeps the logits of every example after each epoch of a training run, in half precision."""

    def __init__(self, reporter: Reporter, data: DeviceData) -> None:
        super().__init__(reporter)
        self.data, self.logits = data, list[torch.Tensor]()

    def snapshot(self, model: nn.Module) -> None:
        self.logits.append(predict(model, self.data).half())


class Watched(NamedTuple):
    """``history`` float16 (epochs, N, classes): logits on all examples after each epoch; ``gradients`` (N,): see
    :func:`input_gradients`, at the end."""

    history: torch.Tensor
    gradients: torch.Tensor


def watch_training(task: Trainable, reporter: Reporter) -> Watched:
    """What a short training run on all examples says of them."""
    recorder, seed = HistoryRecorder(reporter, task.data), task.seed + WATCHED
    everyone = torch.arange(len(task.data), device=task.data.device)
    model = FreshTrainer(task.fresh_model(seed), task.data, shorten(task.recipe), seed, recorder).fit(everyone)
    return Watched(torch.stack(recorder.logits), input_gradients(model, task.data, everyone))


def input_gradients(model: nn.Module, data: DeviceData, ids: torch.Tensor) -> torch.Tensor:
    """Length (len(ids),) of the gradient of each given label's cross entropy with respect to the normalised input, in eval
    mode and without augmentation."""
    was_training, lengths = model.training, []
    model.eval()
    for piece in ids.split(_GRADIENT_EXAMPLES):
        x = data.batch(piece).requires_grad_()
        with autocast(data.device):
            loss = F.cross_entropy(real(model(x)), data.labels[piece], reduction="sum")
        lengths.append(torch.autograd.grad(loss, x)[0].flatten(1).float().norm(dim=1))
    model.train(was_training)
    return torch.cat(lengths) if lengths else torch.empty(0, device=data.device)


def predict_left_out(task: Trainable, parts: torch.Tensor, reporter: Reporter, short: bool = False) -> torch.Tensor:
    """Probabilities (N, classes) of every example by a network that was trained on the other parts; NaN where there is none.

    ``parts`` int64 (N,): which part an example is left out with, −1 for those that always stay in. ``short``: with half of
    the recipe's epochs.
    """
    data, recipe = task.data, shorten(task.recipe) if short else task.recipe
    found = torch.full((len(data), data.classes), torch.nan, device=data.device)
    names = [int(part) for part in parts.unique() if part >= 0]
    for place, part in enumerate(names):
        mine, seed = (parts == part).nonzero()[:, 0], task.seed + LEFT_OUT + part
        progress = RepeatProgress(reporter, place, len(names))
        trainer = FreshTrainer(task.fresh_model(seed), data, recipe, seed, progress, snapshots=False)
        found[mine] = predict(trainer.fit((parts != part).nonzero()[:, 0]), data, mine).softmax(1)
    return found
