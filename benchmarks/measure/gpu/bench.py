"""What every measurement shares: the device, the data, the time that is left, and what was trained already."""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from benchmarks.measure.gpu.images import Half, Photographs
from benchmarks.measure.gpu.sizes import Sizes
from unlearn_core.datasets import LabelledData, Split
from unlearn_core.evaluation import ScenarioData, build_scenario_data
from unlearn_core.specs import Scenario
from unlearn_core.training import SilentReporter
from unlearn_core.training.cuda_graph import SWITCH


class OutOfTime(Exception):
    """The time that this call has is over."""


class Deadline(SilentReporter):
    """A reporter that cancels what runs past the end."""

    def __init__(self, ends: float) -> None:
        self.ends = ends

    def cancelled(self) -> bool:
        return time.monotonic() > self.ends


@dataclass
class Bench:
    """``ends``: on the clock of :func:`time.monotonic`. ``graphs``: whether training steps are replayed as CUDA graphs, once
    these were seen to agree; ``search``: whether cuDNN tries out its kernels, once that was seen to be quicker."""

    sizes: Sizes
    device: torch.device
    ends: float
    photographs: Callable[[], Photographs]
    result: Callable[[str], dict[str, Any] | None]
    graphs: bool = False
    search: bool = False
    weights: dict[str, dict[str, torch.Tensor]] = field(default_factory=dict)
    """State of every original by its key."""
    trained: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What training an original of this call found, by its key."""
    arenas: dict[tuple[float, int], ScenarioData] = field(default_factory=dict)
    _split: Split | None = None

    @property
    def reporter(self) -> Deadline:
        return Deadline(self.ends)

    @property
    def split(self) -> Split:
        """The photographs, read at the first call."""
        if self._split is None:
            found = self.photographs()
            self._split = Split(labelled(found.train, found.classes), labelled(found.test, found.classes))
        return self._split

    def arena(self, scenario: Scenario) -> ScenarioData:
        """The data of a cell on the device; those of one seed are kept."""
        place = scenario.corruption.regularity, scenario.seed
        if place not in self.arenas:
            self.arenas = {key: arena for key, arena in self.arenas.items() if key[1] == scenario.seed}
            self.arenas[place] = build_scenario_data(scenario, self.device, self.split)
        return self.arenas[place]

    @contextlib.contextmanager
    def fast(self) -> Iterator[None]:
        """Kernels and graphs as they were found to be quickest."""
        with switched(self.graphs, self.search):
            yield


def labelled(half: Half, classes: tuple[str, ...]) -> LabelledData:
    """Decoded images as the core takes them."""
    return LabelledData(torch.from_numpy(half.pixels), torch.from_numpy(half.labels), classes)


@contextlib.contextmanager
def switched(graphs: bool, search: bool = False) -> Iterator[None]:
    """Training steps as CUDA graphs in here or not, and cuDNN's search for kernels or its guess."""
    before, searched = os.environ.get(SWITCH), torch.backends.cudnn.benchmark
    os.environ[SWITCH] = "1" if graphs else "0"
    torch.backends.cudnn.benchmark = search
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = searched
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Callable[[], Any], device: torch.device) -> float:
    """Wall seconds of one call, with what it left running on the device."""
    wait(device)
    start = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - start


def device_name(device: torch.device) -> str:
    """The graphics card, or "cpu"."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def peak_memory(device: torch.device) -> int | None:
    """Most bytes that tensors took since :func:`forget_memory`; None on a processor."""
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else None


def forget_memory(device: torch.device) -> None:
    """Give freed memory back, and count its peak anew."""
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    """‖found − expected‖ / ‖expected‖, in float64 on the CPU."""
    a, b = (value.detach().cpu().double().flatten() for value in (found, expected))
    return float((a - b).norm() / b.norm().clamp_min(1e-12))


def pack(states: dict[str, dict[str, torch.Tensor]]) -> dict[str, np.ndarray]:
    """States of networks as arrays under "key/name"."""
    return {f"{key}/{name}": value.cpu().numpy() for key, state in states.items() for name, value in state.items()}


def unpack(arrays: dict[str, np.ndarray]) -> dict[str, dict[str, torch.Tensor]]:
    """The inverse of :func:`pack`."""
    states: dict[str, dict[str, torch.Tensor]] = {}
    for place, value in arrays.items():
        key, name = place.split("/", 1)
        states.setdefault(key, {})[name] = torch.from_numpy(np.array(value))
    return states
