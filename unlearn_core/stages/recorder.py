"""The reporter a method gets: passes progress on, keeps the weights of rounds, accounts for the time that takes."""

from __future__ import annotations

import time
from typing import Protocol

import torch
from torch import nn

MAX_ROUNDS = 24
"""Most rounds of a run that are kept and measured; longer runs keep every second, fourth, … and the last."""

State = dict[str, torch.Tensor]
Rounds = list[tuple[int, State]]
"""(round number from 1, weights)."""


class Progress(Protocol):
    """What a running stage reports to, and asks whether it is cancelled."""

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None: ...

    def cancelled(self) -> bool: ...


class Recorder:
    """Forwards ``step`` and ``cancelled``; ``snapshot`` copies weights to the host, outside the method's own time."""

    def __init__(self, outer: Progress) -> None:
        self.outer = outer
        self.overhead = 0.0
        self._kept: Rounds = []
        self._last: tuple[int, State] | None = None
        self._seen, self._stride = 0, 1

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.outer.step(done, total, **scalars)

    def cancelled(self) -> bool:
        return self.outer.cancelled()

    def snapshot(self, model: nn.Module) -> None:
        """Keep a copy of the weights; when there are too many, every second kept round goes."""
        start = now(next(model.parameters()).device)
        self._seen += 1
        self._last = (self._seen, {name: value.detach().cpu().clone() for name, value in model.state_dict().items()})
        if self._seen % self._stride == 0:
            self._kept.append(self._last)
        if len(self._kept) > MAX_ROUNDS:
            self._stride *= 2
            self._kept = [entry for entry in self._kept if entry[0] % self._stride == 0]
        self.overhead += time.perf_counter() - start

    @property
    def rounds(self) -> Rounds:
        """What was kept, the last round always among it."""
        if self._last is None or (self._kept and self._kept[-1][0] == self._last[0]):
            return self._kept
        return [*self._kept, self._last]


def now(device: torch.device) -> float:
    """Wall-clock seconds, after the device has finished what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
