"""The floating-point type that training and prediction compute in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import torch

from unlearn_core.specs import Precision

_precision: ContextVar[torch.dtype | None] = ContextVar("precision", default=None)
_halved: ContextVar[bool] = ContextVar("halved", default=False)


def image_dtype() -> torch.dtype:
    """What pixels become before they are normalised: float32, or what :func:`full_precision` asks for."""
    return _precision.get() or torch.float32


def autocast(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """bfloat16 autocast on CUDA and inside ``computing_in("bfloat16")``; nothing elsewhere and in :func:`full_precision`."""
    wanted = (device.type == "cuda" or _halved.get()) and _precision.get() is None
    return torch.autocast(device.type, torch.bfloat16) if wanted else contextlib.nullcontext()


@contextlib.contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """What :class:`~unlearn_core.specs.TrainingSpec` says of its precision holds in here, for training and for prediction."""
    token = _halved.set(precision == "bfloat16")
    try:
        yield
    finally:
        _halved.reset(token)


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
