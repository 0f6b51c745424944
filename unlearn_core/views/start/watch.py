"""A reporter that films a network while a method works on it: it looks before every step, and changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from unlearn_core.evaluation import ScenarioData
from unlearn_core.specs import Scenario
from unlearn_core.stages.recorder import Progress
from unlearn_core.training import predict
from unlearn_core.views.boundary.plane import plane_of
from unlearn_core.views.start.data import GRID, Film, join, pack_ground

PARTS_APART = 0.4
"""Least seconds between two parts of a film that is still being made."""
LOOKS = 80
"""So many looks are spread over the steps that a method counts; those that it does not count, as flushes, are all looked at."""
MOST = 160
"""Frames that are kept; where there are more, every second goes."""


class Camera:
    """Takes frames of a network of one scenario, all in one pass: the plane, the corrupted examples, the test set."""

    def __init__(self, scenario: Scenario, data: ScenarioData) -> None:
        plane, truth, device = plane_of(scenario), data.corrupted.truth, data.train.device
        x, y = plane.cells(GRID)
        cells = plane.inputs(np.stack([grid.ravel() for grid in np.meshgrid(x, y)], axis=1))
        rows = truth.corrupted.to(device)
        parts = [torch.from_numpy(cells).to(device), data.train.inputs[rows], data.test.inputs]
        inputs = torch.cat(parts)
        self._all = replace(data.train, inputs=inputs, labels=torch.zeros(len(inputs), dtype=torch.long, device=device))
        self._sizes = [len(part) for part in parts]
        self._clean, self._test = truth.clean_labels[truth.corrupted], data.test.labels.cpu()

    def look(self, model: nn.Module, rounds: int = 0) -> Film:
        """One frame."""
        ground, corrupted, test = predict(model, self._all).float().cpu().split(self._sizes)
        return Film(
            pack_ground(ground.numpy())[None],
            (corrupted.argmax(1) == self._clean).numpy()[None],
            np.array([(test.argmax(1) == self._test).float().mean().item()], dtype=np.float32),
            np.array([rounds], dtype=np.int32),
        )


class Filming:
    """Between a method and its reporter. A method asks ``cancelled`` before every step, flushes included: that is when the
    network in ``model`` is looked at. ``show`` is given what is new, and the share of the work, every now and then."""

    def __init__(self, outer: Progress, camera: Camera, show: Callable[[Film, float], None]) -> None:
        self.outer, self.camera, self.show = outer, camera, show
        self.model: nn.Module | None = None
        self.frames: list[Film] = []
        self._new: list[Film] = []
        self._done, self._seen, self._total, self._rounds = 0, -1, 1, 0
        self._calls, self._stride, self._next_part = 0, 1, 0.0

    def step(self, done: int, total: int, **scalars: float | torch.Tensor) -> None:
        self._done, self._total = done, max(1, total)
        self.outer.step(done, total, **scalars)

    def snapshot(self, model: nn.Module) -> None:
        """A round is over."""
        self._rounds += 1

    def cancelled(self) -> bool:
        if self.model is not None and self._is_due():
            self.take(self.model)
        return self.outer.cancelled()

    def _is_due(self) -> bool:
        """Whether counted work has come far enough since the last look, or a step was taken that is not counted."""
        counted = self._done != self._seen
        if counted and self._done > 0 and LOOKS * self._done // self._total == LOOKS * max(0, self._seen) // self._total:
            return False
        self._seen, self._calls = self._done, self._calls + 1
        return self._calls % self._stride == 0

    def take(self, model: nn.Module) -> None:
        """Take a frame of ``model``."""
        frame = self.camera.look(model, self._rounds)
        self.frames.append(frame)
        self._new.append(frame)
        if len(self.frames) > MOST:
            self.frames, self._stride = self.frames[::2], 2 * self._stride
        if time.monotonic() >= self._next_part:
            self.show(join(self._new), self._done / self._total)
            self._new, self._next_part = [], time.monotonic() + PARTS_APART

    def film(self, model: nn.Module) -> Film:
        """Everything, with the model that came out as its last frame."""
        return join([*self.frames, self.camera.look(model, self._rounds)])
