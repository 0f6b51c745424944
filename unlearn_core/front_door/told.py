"""What of a caller's right labels and checked examples a method is told."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import torch

from unlearn_core.errors import UserError
from unlearn_core.methods import Method, UnlearningTask

_STAND_IN = (
    "works on examples that were checked and found right, and none are given (trusted=): those with the lowest loss in a short "
    "training run stand in for them, and nobody has checked these."
)


def tell(
    task: UnlearningTask, method: type[Method[Any]], right: torch.Tensor | None, trusted: torch.Tensor | None
) -> UnlearningTask:
    """The task with what of these the method needs. A warning says where a stand-in will take the place of checked examples;
    raises :class:`UserError` where a method lacks what it cannot do without."""
    if method.needs_right_labels:
        if right is None:
            raise UserError(f"{method.label} needs right labels of the forget set: give right_labels=.")
        task = replace(task, right=right.to(task.device))
    if method.needs_trusted and trusted is not None:
        return replace(task, trusted=trusted.to(task.device))
    if method.stands_in:
        warnings.warn(f"{method.label} {_STAND_IN}", UserWarning, stacklevel=3)
    elif method.needs_trusted:
        raise UserError(f"{method.label} needs examples that were checked and found right: give trusted=.")
    return task
