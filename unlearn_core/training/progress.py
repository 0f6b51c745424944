"""Progress of a computation made of several: reporters that stand between one part and the reporter of the whole."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.training import DeviceData, Reporter, predict


class SubProgress:
    """One phase of a method: its steps count on from ``before``, out of ``total`` for the whole method.

    ``pace``: how many of the method's steps one of the phase counts for. Where phases differ in what a step costs, the time
    that is left could not be told from the steps that are left.
    """

    def __init__(self, reporter: Reporter, before: int, size: int, total: int, pace: float = 1.0) -> None:
        self.reporter, self.before, self.size, self.total, self.pace = reporter, before, size, total, pace

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        if done > 0:
            self.reporter.step(self.before + min(math.ceil(done * self.pace), self.size), self.total, **scalars)

    def snapshot(self, model: nn.Module) -> None:
        self.reporter.snapshot(model)

    def cancelled(self) -> bool:
        return self.reporter.cancelled()


class ProgressBudget:
    """Counted work of a method made of several runs: hands out one reporter after the other, never past its total, which may
    grow."""

    def __init__(self, reporter: Reporter, total: int) -> None:
        self.reporter, self.total, self.used = reporter, total, 0

    def next(self, size: int, pace: float = 1.0) -> SubProgress:
        """The reporter of the next run, of ``size`` steps, each of which counts for ``pace``."""
        size, start = math.ceil(size * pace), min(self.used, self.total - 1)
        room = max(1, min(size, self.total - self.used))
        self.used += size
        return SubProgress(self.reporter, start, room, self.total, pace)


class RepeatProgress:
    """Part ``part`` (from 0) of ``parts`` equal ones, each of which says its own total; without their snapshots."""

    def __init__(self, reporter: Reporter, part: int, parts: int) -> None:
        self.reporter, self.part, self.parts = reporter, part, parts

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.reporter.step(self.part * total + done, self.parts * total)

    def snapshot(self, model: nn.Module) -> None: ...

    def cancelled(self) -> bool:
        return self.reporter.cancelled()


class StepProgress:
    """For inner runs: passes steps and cancellation on, keeps their snapshots to itself."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self.reporter.step(done, total)

    def snapshot(self, model: nn.Module) -> None: ...

    def cancelled(self) -> bool:
        return self.reporter.cancelled()


class SilentProgress(StepProgress):
    """For runs outside the counted work: keeps their steps to itself too, and still stops when cancelled."""

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None: ...


class LossRecorder(StepProgress):
    """What becomes of every given label over the epochs of a training run: ``total`` (N,), its loss added up over ``epochs``,
    the moments of its probability, and ``right``, for each epoch bool (N,): where it is predicted."""

    def __init__(self, reporter: Reporter, data: DeviceData) -> None:
        super().__init__(reporter)
        self.data, self.epochs, self.right = data, 0, list[torch.Tensor]()
        self.total, self.chances, self.squares = (torch.zeros(len(data), device=data.device) for _ in range(3))

    def snapshot(self, model: nn.Module) -> None:
        logits = predict(model, self.data)
        self.right.append(logits.argmax(1) == self.data.labels)
        losses = F.cross_entropy(logits, self.data.labels, reduction="none")
        self.total += losses
        chance = (-losses).exp()
        self.chances += chance
        self.squares += chance.square()
        self.epochs += 1

    @property
    def confidence(self) -> torch.Tensor:
        """The probability of the given label (N,), averaged over the epochs."""
        return self.chances / self.epochs

    @property
    def variability(self) -> torch.Tensor:
        """Its standard deviation over the epochs, as of all there are."""
        return (self.squares / self.epochs - self.confidence.square()).clamp_min(0).sqrt()
