"""The one training loop. Data live on the device; nothing inside the loop waits for the host."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.datasets import LabelledData
from unlearn_core.errors import Cancelled, UserError
from unlearn_core.specs import TrainingSpec
from unlearn_core.training.cuda_graph import Replay, capturable, is_capturable, to_device


class Reporter(Protocol):
    """How a computation tells the outside how far it is, and hears that nobody wants it any more."""

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None: ...

    def snapshot(self, model: nn.Module) -> None: ...

    def cancelled(self) -> bool: ...


class SilentReporter:
    """A reporter that ignores everything."""

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None: ...

    def snapshot(self, model: nn.Module) -> None: ...

    def cancelled(self) -> bool:
        return False


Draws = tuple[torch.Tensor, ...]
"""What augmenting a batch of B draws, on the device: shifts int64 (2, B) and mirrored bool (B,)."""


@dataclass(frozen=True)
class Augmentation:
    """Random crop with padding and, where mirror images keep their class, flip, drawn per example on the device.

    ``still``: a corner patch (rows, columns) that stays in place on *every* example. A trigger put there neither moves
    nor flips, as in arXiv:2505.17730, without the batch knowing which examples carry one: before moving an image the
    patch is covered by the image's mean, after moving it the patch is put back.
    """

    padding: int = 4
    flip: bool = False
    still: tuple[slice, slice] | None = None

    def draw(self, count: int, generator: torch.Generator, device: torch.device) -> Draws:
        """What augmenting ``count`` images takes; ``generator`` lives on the CPU so that every device draws the same."""
        shift = torch.randint(0, 2 * self.padding + 1, (2, count), generator=generator)
        mirrored = torch.rand(count, generator=generator).lt(0.5)
        return to_device(shift, device), to_device(mirrored, device)

    def __call__(self, images: torch.Tensor, draws: torch.Generator | Draws) -> torch.Tensor:
        """Augment float images (B, C, H, W) by :meth:`draw`: what was drawn before, or now from a generator."""
        count, _, height, width = images.shape
        shift, mirrored = self.draw(count, draws, images.device) if isinstance(draws, torch.Generator) else draws
        source = images
        if self.still is not None:
            patch = images[..., self.still[0], self.still[1]]
            source = images.clone()
            source[..., self.still[0], self.still[1]] = images.mean((-2, -1), keepdim=True)
        padded = F.pad(source, (self.padding,) * 4)
        rows = shift[0][:, None] + torch.arange(height, device=images.device)
        columns = torch.arange(width, device=images.device).expand(count, width)
        if self.flip:
            columns = torch.where(mirrored[:, None], width - 1 - columns, columns)
        columns = shift[1][:, None] + columns
        batch = torch.arange(count, device=images.device)
        moved = padded[batch[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        if self.still is not None:
            moved = moved.clone(memory_format=torch.channels_last)
            moved[..., self.still[0], self.still[1]] = patch
        return moved


def channels_last(images: torch.Tensor) -> torch.Tensor:
    """``images`` (B, C, H, W) with their channels innermost, and with strides that say so.

    Torch reads the layout off the strides. With one channel both layouts are the same memory, and left to itself it takes
    the other one, in which convolutions and pooling are slower.
    """
    images = images.contiguous(memory_format=torch.channels_last)
    _, channels, height, width = images.shape
    return images.as_strided(images.shape, (height * width * channels, 1, width * channels, channels))


_LOOK, _CACHED_PIXELS = 2048, 2**15
"""Examples, and on a processor pixels, of one pass without gradients. What stays in the cache is quicker than 2,048 examples at
once, for the same numbers to the bit."""


@dataclass(frozen=True)
class DeviceData:
    """A labelled set on the device, with the normalisation and augmentation that training uses.

    ``inputs``: uint8 (N, C, H, W) or float32 (N, 2); ``labels``: int64 (N,), the labels as given. ``mean`` and ``std``
    are per channel and, for images, on the 0–255 scale.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    classes: int
    mean: torch.Tensor
    std: torch.Tensor
    augmentation: Augmentation | None = None

    @classmethod
    def place(
        cls,
        data: LabelledData,
        device: torch.device,
        augmentation: Augmentation | None = None,
        like: DeviceData | None = None,
    ) -> DeviceData:
        """Put ``data`` on ``device``; normalisation comes from ``like`` (the training set) or from ``data`` itself."""
        inputs = data.inputs.to(device)
        if data.is_image:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        if like is not None:
            mean, std = like.mean, like.std
        else:
            mean, std = (value.float().to(device) for value in _moments(data))
            std = std.clamp_min(1e-3)
        return cls(inputs, data.labels.to(device), data.classes, mean, std, augmentation)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        return self.inputs.device

    @property
    def mean_std(self) -> tuple[torch.Tensor, torch.Tensor]:
        """What :meth:`batch` normalises by, for networks that must know."""
        return self.mean, self.std

    def draw(self, count: int, generator: torch.Generator) -> Draws:
        """What augmenting a batch of ``count`` draws; empty where the recipe says nothing of it."""
        if self.augmentation is None or self.inputs.dim() != 4:
            return ()
        return self.augmentation.draw(count, generator, self.device)

    def batch(self, ids: torch.Tensor, generator: torch.Generator | Draws | None = None) -> torch.Tensor:
        """Normalised float inputs of these examples; with ``generator``, or with what was drawn from one before
        (:meth:`draw`), they are augmented where the recipe says so."""
        x = self.inputs[ids]
        if x.dim() == 4:
            x = x.to(_precision.get() or torch.float32)
            if generator is not None and self.augmentation is not None:
                x = self.augmentation(x, generator)
            x = (x - self.mean[:, None, None]) / self.std[:, None, None]
            return channels_last(x)
        return (x - self.mean) / self.std

    def eval_batches(self, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """``ids`` in pieces to be looked at without gradients, so small that what a layer says stays in a processor's cache."""
        if self.device.type != "cpu" or self.inputs.dim() != 4:
            return ids.split(_LOOK)
        height, width = self.inputs.shape[-2:]
        return ids.split(min(_LOOK, max(8, _CACHED_PIXELS // (height * width))))


def _moments(data: LabelledData) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of every channel (images) or coordinate (points), float64."""
    if not data.is_image:
        values = data.inputs.double()
        return values.mean(0), values.std(0)
    # From counts of the 256 levels: exact, and without a copy of all pixels as doubles, which takes gigabytes.
    counts = torch.stack([channel.reshape(-1).bincount(minlength=256) for channel in data.inputs.unbind(1)]).double()
    levels, total = torch.arange(256, dtype=torch.float64), counts.sum(1)
    mean = (counts @ levels) / total
    return mean, ((counts * (levels - mean[:, None]).square()).sum(1) / (total - 1)).sqrt()


def batches(ids: torch.Tensor, size: int, generator: torch.Generator) -> list[torch.Tensor]:
    """One shuffled epoch over ``ids`` in pieces of ``size``. A last piece of a single example joins its neighbour."""
    shuffled = ids[to_device(torch.randperm(len(ids), generator=generator), ids.device)]
    pieces = list(shuffled.split(size))
    if len(pieces) > 1 and len(pieces[-1]) == 1:
        pieces[-2:] = [torch.cat(pieces[-2:])]
    return pieces


def make_optimizer(model: nn.Module, recipe: TrainingSpec, learning_rate: float | None = None) -> torch.optim.Optimizer:
    """The recipe's optimiser over all parameters that require a gradient."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    rate = recipe.learning_rate if learning_rate is None else learning_rate
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=rate, weight_decay=recipe.weight_decay, fused=True)
    return torch.optim.SGD(parameters, lr=rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True)


def rates_on_device(optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    """Learning rates as tensors: a recorded step reads them where they lie."""
    for group in optimizer.param_groups:
        group["lr"] = torch.full((), group["lr"], device=device)


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Another learning rate for a group of an optimiser, a recorded one too."""
    if isinstance(group["lr"], torch.Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def rate_factor(step: int, total: int, warmup: float, final: float) -> float:
    """Learning-rate factor: linear rise over ``warmup``·total steps, then linear fall that ends at ``final``."""
    rise = max(1, round(warmup * total))
    if step < rise:
        return (step + 1) / rise
    return 1 - (1 - final) * (step - rise) / max(1, total - rise)


_precision: ContextVar[torch.dtype | None] = ContextVar("precision", default=None)


def autocast(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """bfloat16 autocast on CUDA, nothing elsewhere and in :func:`full_precision`."""
    wanted = device.type == "cuda" and _precision.get() is None
    return torch.autocast("cuda", torch.bfloat16) if wanted else contextlib.nullcontext()


@contextlib.contextmanager
def full_precision(dtype: torch.dtype = torch.float32) -> Iterator[None]:
    """Float32 in here, on CUDA too (no bfloat16, no TF32), or images and losses in float64, for a model that is in float64 as
    well: for comparing a GPU's numbers with a processor's."""
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before, token = (convolutions.allow_tf32, products.allow_tf32), _precision.set(dtype)
    try:
        convolutions.allow_tf32 = products.allow_tf32 = False
        yield
    finally:
        convolutions.allow_tf32, products.allow_tf32 = before
        _precision.reset(token)


def real(x: torch.Tensor) -> torch.Tensor:
    """``x`` in float32, or in float64 where it is that already."""
    return x if x.dtype == torch.float64 else x.float()


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
            return self._replay(ids, *draws, variant=(self.loss, self.model.training))
        return self._update(ids)

    def _update(self, ids: torch.Tensor, *draws: torch.Tensor) -> torch.Tensor:
        """The step itself, on the device from end to end; ``draws``: what augmentation drew, where it did so before."""
        with autocast(self.data.device):
            loss = self.loss(self.model, self.data.batch(ids, draws or self.generator), self.data.labels[ids], ids)
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


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's global generators start from ``seed`` in here, and from where they were afterwards: dropout draws from them."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def deterministic(threads: int | None = 1) -> Iterator[None]:
    """Fixed thread count (CPU sums depend on it) and deterministic kernels, restored afterwards."""
    before = torch.get_num_threads()
    cudnn = torch.backends.cudnn.benchmark
    try:
        if threads:
            torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = False
        yield
    finally:
        torch.set_num_threads(before)
        torch.backends.cudnn.benchmark = cudnn
