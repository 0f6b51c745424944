"""What convolutions and linear layers see: the inputs of a layer as rows, and their second moments over many examples."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.models import RedirectConv2d, RedirectLinear
from unlearn_core.training import DeviceData, Reporter, full_precision

KernelLayer = nn.Conv2d | nn.Linear | RedirectConv2d | RedirectLinear
"""A layer whose output is, position by position, a matrix times what it sees there."""
_CONVOLUTIONS, _LINEAR = (nn.Conv2d, RedirectConv2d), (nn.Linear, RedirectLinear)
_PIXELS, _EXAMPLES = 2**16, 2048
"""Pixels, and examples, of one pass: a layer's rows are many times as large as its input."""


def kernel_layers(model: nn.Module) -> dict[str, KernelLayer]:
    """Convolutions and linear layers of the base by name, the head among them; nothing of redirect channels."""
    kinds = (*_CONVOLUTIONS, *_LINEAR)
    return {name: part for name, part in model.named_modules() if isinstance(part, kinds) and "redirect" not in name}


def weight_rows(layer: KernelLayer) -> torch.Tensor:
    """A copy of the layer's weight as matrices (groups, outputs / groups, d): outputs are these times
    :func:`input_rows`, plus the bias.

    d is what one output sees: inputs / groups, times the places of the kernel.
    """
    groups, outputs = _groups(layer), layer.weight.shape[0]
    return layer.weight.detach().clone().reshape(groups, outputs // groups, -1)


def write_rows(layer: KernelLayer, rows: torch.Tensor) -> None:
    """Put matrices of the shape of :func:`weight_rows` into the layer's weight."""
    with torch.no_grad():
        layer.weight.copy_(rows.reshape(layer.weight.shape))


def input_rows(layer: KernelLayer, x: torch.Tensor) -> torch.Tensor:
    """What the layer sees of its input ``x``: (groups, rows, d), a row for every output position, with the layer's own kernel,
    stride, padding and dilation. Linear layers see (…, d), a convolution (B, C, H, W)."""
    if isinstance(layer, _LINEAR):
        return x.reshape(1, -1, x.shape[-1])
    kernel = tuple(layer.weight.shape[2:])
    stride, dilation = _pair(layer.stride), _pair(getattr(layer, "dilation", 1))
    mode = getattr(layer, "padding_mode", "zeros")
    padded = F.pad(x, _padding(layer.padding, kernel, dilation), mode="constant" if mode == "zeros" else mode)
    patches = F.unfold(padded, kernel, dilation=dilation, stride=stride)  # (B, C · places, positions), channels outermost
    count, _, positions = patches.shape
    groups = _groups(layer)
    return patches.reshape(count, groups, -1, positions).permute(1, 0, 3, 2).reshape(groups, count * positions, -1)


def moment_steps(model: nn.Module, data: DeviceData, ids: torch.Tensor) -> int:
    """Passes that :func:`input_moments` makes: the work it will report."""
    return len(_pieces(model, data, ids))


def input_moments(
    model: nn.Module, data: DeviceData, ids: torch.Tensor, reporter: Reporter, most: int = 0, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Name of a layer → float64 (groups, d, d), the sum of xxᵀ over the rows x that it sees of these examples.

    In eval mode with redirect off, on the plain view and in full precision, one pass over ``ids``. ``most``: rows of each layer
    at most, drawn with ``seed``, the same share of every pass (0: all). A weight that a network uses without calling its layer
    (those inside ``nn.MultiheadAttention``) has no entry. Raises :class:`Cancelled`.
    """
    moments: dict[str, torch.Tensor] = {}
    generator = torch.Generator().manual_seed(seed)

    def add(name: str, layer: nn.Module, inputs: tuple[torch.Tensor, ...], share: float) -> None:
        rows = input_rows(layer, inputs[0])  # type: ignore[arg-type]
        if most and rows.shape[1] > (kept := max(1, math.floor(most * share))):
            rows = rows[:, torch.randperm(rows.shape[1], generator=generator)[:kept].to(rows.device)]
        rows = rows.double()
        moments[name] = moments.get(name, 0) + rows.transpose(1, 2) @ rows

    pieces = _pieces(model, data, ids)
    model.eval()
    with torch.no_grad(), full_precision():
        for done, piece in enumerate(pieces, 1):
            if reporter.cancelled():
                raise Cancelled
            _watched(model, partial(add, share=len(piece) / len(ids)), data.batch(piece))
            reporter.step(done, len(pieces))
    return moments


def _watched(model: nn.Module, see: Callable[[str, nn.Module, Any], None], x: torch.Tensor) -> None:
    """A pass of ``x`` in which every kernel layer shows what it is called on."""
    handles = [layer.register_forward_pre_hook(partial(see, name)) for name, layer in kernel_layers(model).items()]
    try:
        model(x)
    finally:
        for handle in handles:
            handle.remove()


def _pieces(model: nn.Module, data: DeviceData, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
    shape = getattr(model, "size", None) or data.inputs.shape[2:]
    return tuple(ids.split(max(1, min(_EXAMPLES, _PIXELS // max(1, math.prod(shape))))))


def _groups(layer: KernelLayer) -> int:
    return int(getattr(layer, "groups", 1))


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _padding(padding: Any, kernel: tuple[int, ...], dilation: tuple[int, int]) -> list[int]:
    """What ``F.pad`` adds: left, right, top, bottom."""
    if padding == "valid":
        sides = [(0, 0), (0, 0)]
    elif padding == "same":  # where the sum is odd the far side has one more, as torch has it
        sums = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        sides = [(total // 2, total - total // 2) for total in sums]
    else:
        sides = [(one, one) for one in _pair(padding)]
    return [*sides[1], *sides[0]]
