"""A training step as a CUDA graph: recorded once, then replayed with new examples. Everywhere else a plain call."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Hashable
from typing import TypeVar

import torch

Work = Callable[..., torch.Tensor]
"""(tensors on the device) → a tensor; reads and writes nothing else that changes, and never waits for the device."""
F = TypeVar("F", bound=Callable[..., torch.Tensor])
SWITCH = "UNLEARN_CUDA_GRAPHS"
"""Environment variable: 1 replays training steps as CUDA graphs. Off by default: both were seen to agree
once, before ``models.resnet9`` left out biases (benchmarks/results/gpu.json); ``benchmarks run gpu`` looks again."""
WARM = 11
"""Plain calls before a recording: the optimiser's buffers must be there, and a recording pays only where many calls follow."""
MOST = 3
"""Recordings of one piece of work: each keeps the memory of a step."""


def graphs_wanted(device: torch.device) -> bool:
    """Whether training steps on ``device`` are to be recorded."""
    return device.type == "cuda" and os.environ.get(SWITCH, "0") == "1"


def capturable(loss: F) -> F:
    """Mark a loss that is a function of its tensors alone: no waiting for the device, no numbers that change between steps."""
    loss.capturable = True  # type: ignore[attr-defined]
    return loss


def is_capturable(loss: object) -> bool:
    """Whether ``loss`` was marked so."""
    return bool(getattr(loss, "capturable", False))


def to_device(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """``tensor`` (on the CPU) on ``device``, without waiting for what the device is doing."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


class Replay:
    """``work`` on tensors of recurring shapes: called plainly at first, from then on replayed as a graph that was recorded.

    A recording that fails is said once and not tried again: the plain call computes the same. What is returned is a copy, which
    later calls leave alone.
    """

    def __init__(self, work: Work, device: torch.device) -> None:
        # Not held: what computes owns this, and a circle would keep a step's memory until Python looks for circles.
        self._work = weakref.WeakMethod(work) if hasattr(work, "__self__") else lambda: work
        self.device, self.on = device, graphs_wanted(device)
        self.calls: dict[Hashable, int] = {}
        self.recorded: dict[Hashable, Recording] = {}

    def work(self, *inputs: torch.Tensor) -> torch.Tensor:
        """A plain call."""
        work = self._work()
        assert work is not None
        return work(*inputs)

    def __call__(self, *inputs: torch.Tensor, variant: Hashable = None) -> torch.Tensor:
        """``work(*inputs)``; ``variant`` tells apart what differs in more than the inputs."""
        if not self.on:
            return self.work(*inputs)
        key = (variant, tuple((tuple(tensor.shape), tensor.dtype) for tensor in inputs))
        if (found := self.recorded.get(key)) is None:
            self.calls[key] = self.calls.get(key, 0) + 1
            if self.calls[key] <= WARM or len(self.recorded) >= MOST:
                return self._aside(inputs)
            try:
                found = self.recorded[key] = record(self.work, inputs)
            except (RuntimeError, ValueError) as error:  # what cannot be recorded; torch has no type of its own for it
                logging.getLogger(__name__).warning("A training step could not be recorded: %s", " ".join(str(error).split()))
                self.on = False
                return self.work(*inputs)
        return found(inputs)

    def _aside(self, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """A plain call on a stream of its own, as torch asks for before a recording."""
        if self.device.type != "cuda":
            return self.work(*inputs)
        here, side = torch.cuda.current_stream(), _side_stream()
        side.wait_stream(here)
        with torch.cuda.stream(side):
            out = self.work(*inputs)
        here.wait_stream(side)
        out.record_stream(here)
        return out


class Recording:
    """A graph with the tensors that it reads and the one that it writes."""

    def __init__(self, run: Callable[[], None], inputs: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
        self.run, self.inputs, self.out = run, inputs, out

    def __call__(self, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        for fixed, given in zip(self.inputs, inputs, strict=True):
            fixed.copy_(given)
        self.run()
        return self.out.clone()


def record(work: Work, inputs: tuple[torch.Tensor, ...]) -> Recording:
    """Record ``work`` on copies of ``inputs``. Nothing is computed by that; raises RuntimeError where it cannot be recorded."""
    fixed, here = tuple(tensor.clone() for tensor in inputs), torch.cuda.current_stream()
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph, stream=_side_stream(), capture_error_mode="thread_local"):
            out = work(*fixed)
    except RuntimeError:
        torch.cuda.set_stream(here)  # torch leaves the recording's stream behind where ending it fails
        raise
    return Recording(graph.replay, fixed, out)


_streams: dict[int, torch.cuda.Stream] = {}


def _side_stream() -> torch.cuda.Stream:
    """One stream of each device for all plain calls and recordings."""
    number = torch.cuda.current_device()
    if number not in _streams:
        _streams[number] = torch.cuda.Stream()
    return _streams[number]
