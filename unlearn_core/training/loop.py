"""The one training loop: data live on the device, and nothing inside the loop waits for the host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.errors import Cancelled, UserError
from unlearn_core.specs import TrainingSpec
from unlearn_core.training.augmentation import channels_last, made_smaller
from unlearn_core.training.cuda_graph import Replay, capturable, is_capturable
from unlearn_core.training.device_data import DeviceData, batches
from unlearn_core.training.optimizer import make_optimizer, rate_factor, rates_on_device, set_rate
from unlearn_core.training.precision import autocast, real
from unlearn_core.training.reporter import Reporter

Loss = Callable[[nn.Module, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""(model, inputs, given labels, example ids) → scalar loss of one batch."""


@capturable
def cross_entropy(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy, the usual loss."""
    return F.cross_entropy(real(model(x)), y)


@dataclass
class Trainer:
    """Epochs of gradient steps on a device-resident set: what every method that trains goes through.

    ``on_epoch`` is called after each epoch; ``after_step`` after each optimiser step (masked methods restore there).
    """

    model: nn.Module
    data: DeviceData
    recipe: TrainingSpec
    seed: int
    reporter: Reporter
    loss: Loss = cross_entropy
    after_step: Callable[[], None] | None = None
    snapshots: bool = True
    optimizer: torch.optim.Optimizer = field(init=False)
    shrink: float = field(default=1.0, init=False)
    """Images are handed over with this share of their side."""

    def __post_init__(self) -> None:
        self.optimizer = make_optimizer(self.model, self.recipe)
        self.generator = torch.Generator().manual_seed(self.seed)
        self._replay = Replay(self._update, self.data.device)
        # A subclass may make a batch in ways of its own; other optimisers keep a count of steps on the host.
        self._replay.on &= type(self.data) is DeviceData and isinstance(self.optimizer, torch.optim.SGD)
        if self._replay.on:
            rates_on_device(self.optimizer, self.data.device)

    def fit(self, ids: torch.Tensor) -> nn.Module:
        """Train on these examples for the recipe's epochs; returns the model in eval mode."""
        if len(ids) == 0:
            raise UserError("There is nothing to train on: no example is left.")
        per_epoch = len(batches(ids, self.recipe.batch_size, torch.Generator().manual_seed(0)))
        total, done = per_epoch * self.recipe.epochs, 0
        for _ in range(self.recipe.epochs):
            running = torch.zeros((), device=self.data.device)
            self.model.train()
            for piece in batches(ids, self.recipe.batch_size, self.generator):
                self.set_rate(done, total)
                running += self.step(piece)
                done += 1
                self.reporter.step(done, total)
            self.reporter.step(done, total, loss=running / per_epoch)
            if self.snapshots:
                self.reporter.snapshot(self.model)
        return self.model.eval()

    def step(self, ids: torch.Tensor) -> torch.Tensor:
        """One optimiser step on one batch; returns the detached loss, still on the device."""
        if self.reporter.cancelled():
            raise Cancelled
        if self._replay.on and self.after_step is None and is_capturable(self.loss):
            draws = self.data.draw(len(ids), self.generator)
            return self._replay(ids, *draws, variant=(self.loss, self.model.training, self.shrink))
        return self._update(ids)

    def _update(self, ids: torch.Tensor, *draws: torch.Tensor) -> torch.Tensor:
        """The step itself, on the device from end to end; ``draws``: what augmentation drew, where it did so before."""
        x = self.data.batch(ids, draws or self.generator)
        if self.shrink != 1:
            x = channels_last(made_smaller(x, self.shrink))
        with autocast(self.data.device):
            loss = self.loss(self.model, x, self.data.labels[ids], ids)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimizer.step()
        if self.after_step is not None:
            self.after_step()
        return loss.detach()

    def set_rate(self, step: int, total: int) -> None:
        """The recipe's learning rate for step number ``step`` (from 0) of ``total``."""
        factor = rate_factor(step, total, self.recipe.warmup, self.recipe.final)
        for group in self.optimizer.param_groups:
            set_rate(group, self.recipe.learning_rate * factor)


def predict(model: nn.Module, data: DeviceData, ids: torch.Tensor | None = None) -> torch.Tensor:
    """Logits (len(ids), classes) in eval mode, no augmentation, redirect off."""
    ids = torch.arange(len(data), device=data.device) if ids is None else ids
    was_training = model.training
    model.eval()
    with torch.no_grad(), autocast(data.device):
        pieces = [real(model(data.batch(piece))) for piece in data.eval_batches(ids)]
    model.train(was_training)
    return torch.cat(pieces) if pieces else torch.empty(0, data.classes, device=data.device)
