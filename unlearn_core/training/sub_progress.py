"""Progress of a computation that is made of several equal ones."""

from __future__ import annotations

import torch

from unlearn_core.training import Reporter


class SubProgress:
    """A reporter for one of several equal parts of a computation."""

    def __init__(self, outer: Reporter, part: int, parts: int) -> None:
        self.outer, self.part, self.parts = outer, part, parts

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.outer.step(self.part * total + done, self.parts * total)

    def snapshot(self, model: torch.nn.Module) -> None: ...

    def cancelled(self) -> bool:
        return self.outer.cancelled()
