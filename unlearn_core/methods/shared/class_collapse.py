"""Telling a run that lost a whole class, and what to try instead."""

from __future__ import annotations

import torch
from torch import nn

from unlearn_core.methods.base import UnlearningTask
from unlearn_core.methods.shared.rounds import sample
from unlearn_core.training import Answers, predict

_COLLAPSED, _KNOWN = 0.3, 0.9
_SOFT = 0.25


def class_collapsed(
    model: nn.Module, original: nn.Module | Answers, task: UnlearningTask, says: torch.Tensor | None = None
) -> bool:
    """Whether some class outside the forget set is hardly predicted any more, though ``original`` gave it as its labels say.

    Hardly: under 30 % of its labels, or, of a class that the original did not know well either, a third of what that knew;
    and by more than chance, which is two standard errors of such a share; and said so seldom of anything else too. A weak
    network that mixes two classes up has lost neither. ``says`` int64 (N,): the classes that ``model`` gives to all training
    examples, where that is known.
    """
    ids = sample(task.retain, task.seed)
    given = task.data.labels[ids]
    counts = torch.bincount(given, minlength=task.data.classes).clamp_min(1)

    def shares(said: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of each class (classes,): labels that are found, and times that it is said, both relative to its labels."""
        found = torch.bincount(given[said == given], minlength=task.data.classes)
        return found / counts, torch.bincount(said, minlength=task.data.classes) / counts

    answers = original if isinstance(original, Answers) else Answers(original, task.data)
    limit = _COLLAPSED * (shares(answers.classes(ids))[0] / _KNOWN).clamp_max(1)
    found, said = shares(predict(model, task.data, ids).argmax(1) if says is None else says[ids])
    chance = 2 * (limit * (1 - limit) / counts).sqrt()
    return bool(((found < limit - chance) & (said < limit)).any())


def halve_clip(clip: float) -> float:
    """The largest gradient norm of a flush after one with ``clip`` (0: none) took a class: half as much."""
    return clip / 2 if clip else _SOFT
