"""What a network that no longer changes says of the training examples: each is asked for once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.training.device_data import DeviceData
from unlearn_core.training.loop import predict
from unlearn_core.training.precision import real


class Answers:
    """The classes that ``model``, frozen, gives to examples of ``data`` in eval mode with redirect off.

    ``logits`` (N, classes): what it says of all of them, where that is known already, in pieces as ``eval_batches`` cuts them.
    ``losses`` (N,): cross entropies of the given labels; None without ``logits``. ``masked_cost``: widths of redirect channels
    to what a pass with them costs beside one without, which the first run that asks writes down.
    """

    def __init__(self, model: nn.Module, data: DeviceData, logits: torch.Tensor | None = None) -> None:
        self.model, self.data = model, data
        self.losses: torch.Tensor | None = None
        self.masked_cost: dict[tuple[int, ...], float] = {}
        self._said = torch.full((len(data),), -1, dtype=torch.int64, device=data.device)
        if logits is not None:
            self._said = logits.argmax(1)
            pieces = [F.cross_entropy(real(logits[ids]), data.labels[ids], reduction="none") for ids in self._pieces()]
            self.losses = torch.cat(pieces)

    def classes(self, ids: torch.Tensor) -> torch.Tensor:
        """int64 (len(ids),): the class that each of ``ids`` is given. Waits for the device."""
        lacking = ids[self._said[ids] < 0]
        if len(lacking):
            self._said[lacking] = predict(self.model, self.data, lacking).argmax(1)
        return self._said[ids]

    def accuracy(self, ids: torch.Tensor) -> float:
        """Accuracy on ``ids`` against the labels as given; 0 of none."""
        return (self.classes(ids) == self.data.labels[ids]).float().mean().item() if len(ids) else 0.0

    def _pieces(self) -> tuple[torch.Tensor, ...]:
        return self.data.eval_batches(torch.arange(len(self.data), device=self.data.device))
