"""Random crops and flips of a whole batch on the device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from unlearn_core.training.cuda_graph import to_device

Draws = tuple[torch.Tensor, ...]
"""What augmenting a batch of B draws, on the device: shifts int64 (2, B) and mirrored bool (B,)."""


@dataclass(frozen=True)
class Augmentation:
    """Random crop with padding and, where mirror images keep their class, flip, drawn per example on the device.

    ``still``: a corner patch (rows, columns) that stays in place on *every* example. A trigger put there neither moves
    nor flips, as in arXiv:2505.17730, without the batch knowing which examples carry one: before moving an image the
    patch is covered by the image's mean, after moving it the patch is put back. ``others``: further such patches.
    """

    padding: int = 4
    flip: bool = False
    still: tuple[slice, slice] | None = None
    others: tuple[tuple[slice, slice], ...] = ()

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
        still = (() if self.still is None else (self.still,)) + self.others
        if still:
            source, middle = images.clone(), images.mean((-2, -1), keepdim=True)
            for rows_kept, columns_kept in still:
                source[..., rows_kept, columns_kept] = middle
        padded = F.pad(source, (self.padding,) * 4)
        rows = shift[0][:, None] + torch.arange(height, device=images.device)
        columns = torch.arange(width, device=images.device).expand(count, width)
        if self.flip:
            columns = torch.where(mirrored[:, None], width - 1 - columns, columns)
        columns = shift[1][:, None] + columns
        batch = torch.arange(count, device=images.device)
        moved = padded[batch[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        if still:
            moved = moved.clone(memory_format=torch.channels_last)
            for rows_kept, columns_kept in still:
                moved[..., rows_kept, columns_kept] = images[..., rows_kept, columns_kept]
        return moved


def channels_last(images: torch.Tensor) -> torch.Tensor:
    """``images`` (B, C, H, W) with their channels innermost, and with strides that say so.

    Torch reads the layout off the strides. With one channel both layouts are the same memory, and left to itself it takes
    the other one, in which convolutions and pooling are slower.
    """
    images = images.contiguous(memory_format=torch.channels_last)
    _, channels, height, width = images.shape
    return images.as_strided(images.shape, (height * width * channels, 1, width * channels, channels))


def made_smaller(images: torch.Tensor, share: float) -> torch.Tensor:
    """Images (B, C, H, W) with sides of ``share`` of what they were, at least one pixel; bilinear, antialiased."""
    size = [max(1, round(share * side)) for side in images.shape[-2:]]
    return F.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
