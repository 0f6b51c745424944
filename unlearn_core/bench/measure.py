"""Timing two things against each other, and fitting how a cost grows."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Measurement:
    """One line of a benchmark. ``value`` in ``unit``; ``low`` and ``high`` are the smallest and largest repeat.

    ``target``: what is asked for, None where nothing is; ``least``: whether the value has to be at least or at most that.
    ``seconds``: what a ratio of costs stands for.
    """

    section: str
    name: str
    value: float
    unit: str
    low: float
    high: float
    target: float | None = None
    least: bool = True
    seconds: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without a target."""
        if self.target is None:
            return None
        return self.value >= self.target if self.least else self.value <= self.target

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"met": self.met}


def summarise(section: str, name: str, values: Sequence[float], unit: str, **more: Any) -> Measurement:
    """A measurement from repeats: their median, smallest and largest."""
    return Measurement(section, name, statistics.median(values), unit, min(values), max(values), **more)


def seconds(work: Callable[[], Any], device: torch.device) -> float:
    """Wall seconds of one call, with what it left running on the device."""
    gc.collect()
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def alternate(
    baseline: Callable[[], Any], ours: Callable[[], Any], repeats: int, device: torch.device
) -> list[tuple[float, float]]:
    """Seconds (baseline, ours) of so many pairs, after one of each that does not count. Every other pair goes backwards,
    so that neither always comes after the other."""
    baseline(), ours()
    pairs = []
    for number in range(repeats):
        order = (baseline, ours) if number % 2 == 0 else (ours, baseline)
        times = {work: seconds(work, device) for work in order}
        pairs.append((times[baseline], times[ours]))
    return pairs


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """p of the least-squares fit cost ∝ size^p (both positive, at least two different sizes)."""
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    return statistics.linear_regression(x, y).slope


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
