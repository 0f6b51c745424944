"""How a computation tells how far it is, and learns that it was cancelled."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn


class Reporter(Protocol):
    """Where a computation reports its progress, and asks whether it was cancelled."""

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None: ...

    def snapshot(self, model: nn.Module) -> None: ...

    def cancelled(self) -> bool: ...


class SilentReporter:
    """A reporter that ignores everything."""

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None: ...

    def snapshot(self, model: nn.Module) -> None: ...

    def cancelled(self) -> bool:
        return False
