"""Training a newly initialised network: what a recipe says of the beginning holds here, and nowhere else."""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.errors import UserError
from unlearn_core.training.device_data import DeviceData
from unlearn_core.training.loop import Trainer

SMALLER: Final = 5 / 8
"""Side of an image that is made smaller, relative to its own: four tenths of the pixels, and so of the work."""
PATCHES_FROM: Final = 1000
"""Images whose patches say what whitens, at most: each has hundreds."""
VALUES: Final = 25_000_000
"""Values that these patches may have in all: a hundred megabytes."""
FLOOR: Final = 5e-4
"""Added to the variance of a direction of patches, so that one which hardly occurs is not blown up."""


class FreshTrainer(Trainer):
    """A :class:`Trainer` for a network that was just initialised, as an original or a retrained one is.

    The recipe's ``whiten`` sets the first filters before the first step, from the images that are trained on alone; its
    ``small`` makes images smaller in the first steps. Training that goes on from a trained network uses :class:`Trainer`, which
    knows neither. Raises :class:`UserError` where the network cannot take that.
    Source: whitening, Jordan 2024, arXiv:2404.00498, section 3.2 (there its filters are never trained; here they are); smaller
    images first, progressive learning in Tan and Le 2021, arXiv:2104.00298.
    """

    def fit(self, ids: torch.Tensor) -> nn.Module:
        if self.recipe.small and not (self.data.inputs.dim() == 4 and getattr(self.model, "any_size", False)):
            raise UserError("This network takes inputs of one size alone: leave training.small at 0.")
        if self.recipe.whiten:
            whiten(self.model, self.data, ids)
        return super().fit(ids)

    def set_rate(self, step: int, total: int) -> None:
        super().set_rate(step, total)
        self.shrink = SMALLER if step < self.recipe.small * total else 1.0


def whiten(model: nn.Module, data: DeviceData, ids: torch.Tensor) -> None:
    """Set half of the first convolution's filters to what whitens the patches of these images, or of some taken at even steps,
    and the other half to the negative of that, with the spread that the filters had. Filters beyond twice the number of a
    patch's pixels stay.

    What whitens is the eigenvectors of the patches' covariance, divided by the root of their eigenvalues; those along which
    patches differ most come first, each with the sign that makes its largest component positive.
    """
    filters = getattr(model, "first_filters", lambda: None)()
    if filters is None or data.inputs.dim() != 4:
        raise UserError("This network has no first convolution that could be whitened: set training.whiten to false.")
    kernel, size = filters.shape[-2:], filters[0].numel()
    count = min(len(ids), PATCHES_FROM, max(2, VALUES // (size * data.inputs[0, 0].numel())))
    even = ids[torch.arange(count, device=ids.device) * len(ids) // count]
    patches = F.unfold(data.batch(even).float(), kernel).transpose(1, 2).reshape(-1, size)
    values, vectors = torch.linalg.eigh(torch.cov(patches.T).double())
    directions = (vectors / (values.clamp_min(0) + FLOOR).sqrt()).T.flip(0)
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    half = min(len(filters) // 2, len(directions))
    chosen = (directions * largest.sign())[:half].reshape(half, *filters.shape[1:]).to(filters.dtype)
    with torch.no_grad():
        filters[: 2 * half] = torch.cat([chosen, -chosen]) * (filters.std() / chosen.std())
