"""A labelled set as tensors on the device, its normalised batches, and shuffled epochs over it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from unlearn_core.datasets import LabelledData
from unlearn_core.training.augmentation import Augmentation, Draws, channels_last
from unlearn_core.training.cuda_graph import to_device
from unlearn_core.training.precision import image_dtype

EVAL_EXAMPLES, CACHED_PIXELS = 2048, 2**15
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
            mean, std = (value.float().to(device) for value in _mean_std(data))
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
            x = x.to(image_dtype())
            if generator is not None and self.augmentation is not None:
                x = self.augmentation(x, generator)
            x = (x - self.mean[:, None, None]) / self.std[:, None, None]
            return channels_last(x)
        return (x - self.mean) / self.std

    def eval_batches(self, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """``ids`` in pieces to be looked at without gradients, so small that what a layer says stays in a processor's cache."""
        size = EVAL_EXAMPLES
        if self.device.type == "cpu" and self.inputs.dim() == 4:
            height, width = self.inputs.shape[-2:]
            size = min(EVAL_EXAMPLES, max(8, CACHED_PIXELS // (height * width)))
        return tuple(ids.split(size))


def _mean_std(data: LabelledData) -> tuple[torch.Tensor, torch.Tensor]:
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
