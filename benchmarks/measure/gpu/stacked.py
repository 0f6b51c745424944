"""Many small networks trained at once: seeds and cells of a teaching grid as one batch of matrix products.

A convolution of 16 channels on 8×8 pixels is far too little for a GPU, and its launch costs more than its arithmetic. Here K
networks of the digits CNN take every step together: their weights lie in tensors with K in front, and a convolution is one
product of K matrices. It computes what the core's network computes; a test holds it to that.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.models.cnn import CnnNet
from unlearn_core.specs import TrainingSpec
from unlearn_core.training import DeviceData, autocast, rate_factor, rates_on_device, set_rate
from unlearn_core.training.cuda_graph import Replay, to_device

EPS, MOMENTUM = 1e-5, 0.1
"""Of batch norm, as in the core's network."""


class StackedCnn(nn.Module):
    """K digits CNNs side by side. ``forward``: images (K, B, 1, H, W) to logits (K, B, classes)."""

    def __init__(self, models: Sequence[CnnNet]) -> None:
        super().__init__()
        states = [model.state_dict() for model in models]
        running = ("running_mean", "running_var")
        self.sizes = models[0].hidden
        for name in states[0]:
            value = torch.stack([state[name].detach() for state in states])
            if name.endswith(running):
                self.register_buffer(name.replace(".", "_"), value)
            elif not name.endswith("num_batches_tracked"):
                self.register_parameter(name.replace(".", "_"), nn.Parameter(value))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.movedim(2, -1)  # channels innermost: a patch is then a few short runs of memory
        for k in range(len(self.sizes)):
            x = F.relu(self._normalise(self._convolve(x, k), k))
            if k:
                x = _pool(x)
        weight, bias = self.get_parameter("head_weight"), self.get_parameter("head_bias")
        return torch.baddbmm(bias[:, None], x.movedim(-1, 2).flatten(2), weight.transpose(1, 2))

    def _convolve(self, x: torch.Tensor, k: int) -> torch.Tensor:
        """3×3, padding 1: (K, B, H, W, in) to (K, B, H, W, out)."""
        weight, bias = self.get_parameter(f"layers_{k}_weight"), self.get_parameter(f"layers_{k}_bias")
        networks, count, height, width, _ = x.shape
        padded = F.pad(x, (0, 0, 1, 1, 1, 1))
        patches = torch.cat([padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)], dim=-1)
        columns = patches.reshape(networks, count * height * width, -1)
        rows = weight.permute(0, 3, 4, 2, 1).reshape(networks, -1, weight.shape[1])
        return torch.baddbmm(bias[:, None], columns, rows).reshape(networks, count, height, width, -1)

    def _normalise(self, x: torch.Tensor, k: int) -> torch.Tensor:
        """Batch norm of every network by its own batch; running statistics follow."""
        rows = x.flatten(1, 3).float()
        variance, mean = torch.var_mean(rows, 1, unbiased=False)
        with torch.no_grad():
            count = rows.shape[1]
            self.get_buffer(f"norms_{k}_base_running_mean").lerp_(mean, MOMENTUM)
            self.get_buffer(f"norms_{k}_base_running_var").lerp_(variance * (count / (count - 1)), MOMENTUM)
        weight, bias = self.get_parameter(f"norms_{k}_base_weight"), self.get_parameter(f"norms_{k}_base_bias")
        scale = weight * (variance + EPS).rsqrt()
        return (rows * scale[:, None] + (bias - mean * scale)[:, None]).reshape(x.shape).to(x.dtype)

    def states(self) -> list[dict[str, torch.Tensor]]:
        """The K state dicts, under the core's names but without counts of batches."""
        names = {name.replace(".", "_"): name for name in CnnNet(1, self.sizes[0], 10).state_dict()}
        mine = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        count = len(next(iter(mine.values())))
        return [{names[name]: value[k].detach() for name, value in mine.items()} for k in range(count)]


def _pool(x: torch.Tensor) -> torch.Tensor:
    """2×2 max pooling of (K, B, H, W, C)."""
    networks, count, height, width, channels = x.shape
    return x.reshape(networks, count, height // 2, 2, width // 2, 2, channels).amax((3, 5))


class StackedTrainer:
    """The core's training loop for K networks with K sets of one size, each with the batches and rates that it has alone."""

    def __init__(
        self, models: Sequence[CnnNet], sets: Sequence[DeviceData], recipe: TrainingSpec, seeds: Sequence[int]
    ) -> None:
        self.model, self.recipe = StackedCnn(models), recipe
        self.device = sets[0].device
        self.images = torch.stack([data.batch(torch.arange(len(data), device=self.device)) for data in sets])
        self.labels = torch.stack([data.labels for data in sets])
        self.which = torch.arange(len(sets), device=self.device)[:, None]
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.replay = Replay(self._update, self.device)
        if self.replay.on:
            rates_on_device(self.optimizer, self.device)

    def fit(self) -> int:
        """Train for the recipe's epochs; returns the steps that every network took."""
        done = 0
        for _ in range(self.recipe.epochs):
            pieces = self._batches()
            for ids in pieces:
                self._set_rate(done, len(pieces) * self.recipe.epochs)
                self.replay(ids)
                done += 1
        return done

    def _batches(self) -> list[torch.Tensor]:
        """An epoch of every network, shuffled as the core's :func:`batches` does it, in pieces (K, B)."""
        count, size = self.labels.shape[1], self.recipe.batch_size
        order = torch.stack([torch.randperm(count, generator=generator) for generator in self.generators])
        pieces = list(torch.split(to_device(order, self.device), size, dim=1))
        if len(pieces) > 1 and pieces[-1].shape[1] == 1:
            pieces[-2:] = [torch.cat(pieces[-2:], dim=1)]
        return pieces

    def _set_rate(self, step: int, total: int) -> None:
        rate = self.recipe.learning_rate * rate_factor(step, total, self.recipe.warmup, self.recipe.final)
        for group in self.optimizer.param_groups:
            set_rate(group, rate)

    def _update(self, ids: torch.Tensor) -> torch.Tensor:
        """One step of all networks; ``ids`` (K, B)."""
        with autocast(self.device):
            logits = self.model(self.images[self.which, ids]).float()
        # Added up, not averaged: no network's gradient depends on how many there are.
        loss = F.cross_entropy(logits.flatten(0, 1), self.labels[self.which, ids].flatten(), reduction="sum") / ids.shape[1]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()
