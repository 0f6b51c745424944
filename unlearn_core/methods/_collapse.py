"""Telling a run that lost a whole class, and what to try instead."""

from __future__ import annotations

import torch
from torch import nn

from unlearn_core.methods._base import UnlearningTask
from unlearn_core.training import predict

_COLLAPSED, _KNOWN = 0.3, 0.9
_SOFT = 0.25


def collapsed(model: nn.Module, original: nn.Module, task: UnlearningTask) -> bool:
    """Whether some class outside the forget set is hardly predicted any more, though ``original`` gave it as its labels say.

    Hardly: under 30 % of its labels, or, of a class that the original did not know well either, a third of what that knew.
    """
    limit = _COLLAPSED * (_found(original, task) / _KNOWN).clamp_max(1)
    return bool((_found(model, task) < limit).any())


def _found(model: nn.Module, task: UnlearningTask) -> torch.Tensor:
    """Share (classes,) of each class's labels outside F that the model predicts; 0 where there are none."""
    given = task.data.labels[task.retain]
    right = (predict(model, task.data, task.retain).argmax(1) == given).float()
    counts = torch.bincount(given, minlength=task.data.classes)
    return torch.bincount(given, weights=right, minlength=task.data.classes) / counts.clamp_min(1)


def softer(clip: float) -> float:
    """The largest gradient norm of a flush after one with ``clip`` (0: none) took a class: half as much."""
    return clip / 2 if clip else _SOFT
