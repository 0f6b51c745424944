"""The floating-point type that training and prediction compute in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import torch

_precision: ContextVar[torch.dtype | None] = ContextVar("precision", default=None)


def image_dtype() -> torch.dtype:
    """What pixels become before they are normalised: float32, or what :func:`full_precision` asks for."""
    return _precision.get() or torch.float32


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
