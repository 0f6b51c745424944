"""The caller's own data as a method takes them: inputs, labels and the forget set, checked; bad ones get one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from unlearn_core.errors import UserError
from unlearn_core.training import DeviceData

Moments = tuple[Sequence[float], Sequence[float]]
"""Mean and standard deviation of every channel, for pixels from 0 to 1."""


def take_data(data: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """(inputs, labels int64 (N,)) of a pair of arrays or of a Dataset, on the CPU; raises :class:`UserError`."""
    pair = isinstance(data, tuple | list) and len(data) == 2
    inputs, labels = data if pair else _stack(data)
    inputs, labels = _tensor(inputs, "inputs"), _tensor(labels, "labels")
    if inputs.dtype != torch.uint8 and not inputs.is_floating_point():
        raise UserError(f"The inputs must be floating-point numbers or uint8 pixels (got {_word(inputs.dtype)}).")
    if inputs.dtype == torch.uint8 and inputs.dim() != 4:
        raise UserError(f"Inputs of uint8 are images of the shape (N, C, H, W); these have the shape {tuple(inputs.shape)}.")
    if inputs.dim() < 2 or labels.dim() != 1 or len(inputs) != len(labels):
        raise UserError(
            f"The inputs need the shape (N, …) and the labels (N,); got {tuple(inputs.shape)} and {tuple(labels.shape)}."
        )
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise UserError(f"The labels must be whole numbers from 0 (got {_word(labels.dtype)}).")
    if inputs.is_floating_point() and not torch.isfinite(inputs).all():
        raise UserError("The inputs hold numbers that are not finite.")
    return inputs if inputs.dtype == torch.uint8 else inputs.float(), labels.long()


def _stack(data: Any) -> tuple[Any, Any]:
    """All examples of a Dataset, each looked up once: what it draws at random is drawn once."""
    if not (isinstance(data, Dataset) or (hasattr(data, "__len__") and hasattr(data, "__getitem__"))):
        raise UserError(f"The data are a pair (inputs, labels) or a torch Dataset (got {type(data).__name__}).")
    inputs, labels = [], []
    for k in range(len(data)):
        example, label = data[k][:2]
        if not isinstance(example, torch.Tensor):
            raise UserError(
                f"The Dataset gives a {type(example).__name__} for an example; give it a transform that makes tensors, such as "
                "torchvision's ToTensor."
            )
        inputs.append(example)
        labels.append(int(label))
    if len({tuple(example.shape) for example in inputs}) != 1:
        raise UserError("The examples of the Dataset must be there, and have one shape; give it a transform that resizes them.")
    return torch.stack(inputs), torch.tensor(labels)


def _tensor(values: Any, what: str) -> torch.Tensor:
    try:
        return torch.as_tensor(values).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"The {what} are no array of numbers ({error}).") from None


def check_labels(labels: torch.Tensor, classes: int, what: str = "labels") -> None:
    """Raise :class:`UserError` unless all are from 0 to ``classes`` − 1."""
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise UserError(f"The network tells {classes} classes apart, but the {what} go from {low} to {high}.")


def take_forget(forget: Any, count: int) -> torch.Tensor:
    """The forget set as int64 indices, ascending, from indices or a mask bool (N,); raises :class:`UserError`."""
    given = _tensor(sorted(forget) if isinstance(forget, set | frozenset) else forget, "forget set's indices")
    if given.dtype == torch.bool:
        if given.shape != (count,):
            raise UserError(
                f"A forget mask has one entry for each of the {count:,} examples (got the shape {tuple(given.shape)})."
            )
        given = given.nonzero()[:, 0]
    if given.numel() == 0:
        raise UserError("The forget set is empty: there is nothing to unlearn.")
    if given.dim() != 1 or given.is_floating_point():
        raise UserError("The forget set is a list of whole numbers, or a mask of true and false.")
    found: torch.Tensor = given.long().unique()
    if len(found) < len(given):
        raise UserError("The forget set names an example twice.")
    if int(found[0]) < 0 or int(found[-1]) >= count:
        wrong = int(found[0]) if int(found[0]) < 0 else int(found[-1])
        raise UserError(f"The forget set names example {wrong}, but there are {count:,}, numbered from 0.")
    if len(found) == count:
        raise UserError("The forget set holds every example: nothing is left to keep.")
    return found


def take_right_labels(right: Any, forget: torch.Tensor, classes: int) -> torch.Tensor | None:
    """The right label of every example of the forget set, int64 in its order, -1 where unknown; None for none at all.

    ``right``: index → label, or labels int (N,) or in the order of ``forget`` as given, -1 where unknown.
    """
    if right is None:
        return None
    if isinstance(right, dict):
        strange = [key for key in right if int(key) not in set(forget.tolist())]
        if strange:
            raise UserError(f"A right label is given for example {strange[0]}, which is not in the forget set.")
        found = torch.tensor([int(right.get(index, -1)) for index in forget.tolist()])
    else:
        found = _tensor(right, "right labels").long()
        if found.shape != forget.shape:
            raise UserError(
                f"The right labels are one for each of the {len(forget)} examples of the forget set, by ascending index "
                f"(got the shape {tuple(found.shape)})."
            )
    if int(found.min()) < -1 or int(found.max()) >= classes:
        raise UserError(f"Right labels go from 0 to {classes - 1}; -1 is one that is not known.")
    return found


def take_trusted(trusted: Any, forget: torch.Tensor, count: int) -> torch.Tensor | None:
    """The checked examples as int64 indices, ascending; None for none at all. Raises :class:`UserError`."""
    if trusted is None:
        return None
    found: torch.Tensor = _tensor(sorted(trusted) if isinstance(trusted, set | frozenset) else trusted, "checked examples")
    if found.dim() != 1 or not len(found) or found.is_floating_point() or found.dtype == torch.bool:
        raise UserError("The checked examples are a list of whole numbers, at least one.")
    found = found.long().unique()
    if int(found[0]) < 0 or int(found[-1]) >= count:
        raise UserError(f"Checked examples are numbered from 0 to {count - 1} (got {int(found[0])} to {int(found[-1])}).")
    if bool(torch.isin(found, forget).any()):
        raise UserError("A checked example is in the forget set as well: it cannot be both right and wrong.")
    return found


def place(
    inputs: torch.Tensor, labels: torch.Tensor, classes: int, normalise: Moments | None, device: torch.device
) -> DeviceData:
    """The data on ``device``, such that a batch is what the network takes: floats as they are, pixels divided by 255, and
    normalised where ``normalise`` says so."""
    size = inputs.shape[1] if inputs.dim() == 4 else 1
    if normalise is not None and inputs.dtype != torch.uint8:
        raise UserError("normalise= is for pixels of uint8; floating-point inputs go into the network as they are.")
    mean, std = (torch.tensor(np.asarray(values), dtype=torch.float32) for values in normalise or ([0.0] * size, [1.0] * size))
    if mean.shape != (size,) or std.shape != (size,) or not (std > 0).all():
        raise UserError(f"normalise= is a pair of {size} means and {size} deviations above 0, one for each channel.")
    scale = 255.0 if inputs.dtype == torch.uint8 else 1.0
    inputs = inputs.to(device)
    if inputs.dim() == 4:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    return DeviceData(inputs, labels.to(device), classes, (scale * mean).to(device), (scale * std).to(device))


def _word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
