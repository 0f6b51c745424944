"""Instance-dependent label noise: what an image looks like decides whether and as what it is mistaken."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field

from unlearn_core.component import ComponentParams
from unlearn_core.corruption.base import Change, Corruption, registry
from unlearn_core.corruption.kinds import NOISE
from unlearn_core.corruption.noise.weak_model import scores_out_of_fold, second_choice
from unlearn_core.datasets import LabelledData
from unlearn_core.errors import UserError

_STREAM = 20_261_202
_SPREAD = 0.1
"""Standard deviation of the examples' flip rates (the publication's)."""
_SIDE, _AT_A_TIME = 32, 1024


class InstanceDependentParams(ComponentParams):
    by: Literal["model", "published"] = Field(
        "model",
        description="model: the second choice of a weak model on what it is least sure of; published: sampling of Xia et al.",
    )


@registry.register
class InstanceDependent(Corruption[InstanceDependentParams]):
    """By a model: a weak one, trained on other folds, says which examples it is least sure of, and what it would call them.

    Published (Xia et al. 2020): q ~ N(η, 0.1²) on [0, 1], s = x W_y with a random W_y, s_y = −∞; x gets another label with
    probability q, which one by softmax(s). The amount is exact: the examples with the highest q.
    """

    name, label = "instance_dependent", "Instance-dependent label noise"
    summary = "Examples are mistaken for what they look like, as people mistake them: the hard ones, and for a class near them."
    paper = "arXiv:2006.07836"
    place = 0.25

    @classmethod
    def change(cls, params: InstanceDependentParams, train: LabelledData, count: int, seed: int) -> Change:
        if train.classes < 2:
            raise UserError("Label noise needs at least two classes.")
        rng = np.random.default_rng([_STREAM, seed])
        if params.by == "model":
            other, below = second_choice(scores_out_of_fold(train, seed), train.labels)
            chosen = below.argsort(stable=True)[:count]
            given = other[chosen]
        else:
            chances = torch.from_numpy(draw_rates(count / len(train), len(train), rng))
            chosen = chances.argsort(descending=True, stable=True)[:count]
            flips = flip_probabilities(chances[chosen], _scores(train, chosen, rng), train.labels[chosen])
            given = _draw(flips, train.labels[chosen], rng)
        order = torch.from_numpy(rng.permutation(count))
        return Change(chosen[order], given[order], kinds=torch.full((count,), NOISE, dtype=torch.int8))


def draw_rates(mean: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """float64 (n,): normal around ``mean``, what lies outside of 0 to 1 drawn again."""
    rates = rng.normal(mean, _SPREAD, count)
    while (outside := (rates < 0) | (rates > 1)).any():
        rates[outside] = rng.normal(mean, _SPREAD, int(outside.sum()))
    return rates


def flip_probabilities(rates: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """float64 (n, K): the probability of every given label, 1 − q of the right one, from q (n,), scores (n, K), labels (n,)."""
    others = scores.scatter(1, labels[:, None], -torch.inf).softmax(1)
    return (rates[:, None] * others).scatter(1, labels[:, None], (1 - rates)[:, None])


def _scores(train: LabelledData, chosen: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """x W_y, float64 (n, K), with standardised x of the chosen examples and a matrix of its own for each class."""
    count, total, squares = len(train), torch.zeros(()), torch.zeros(())
    for some in train.inputs.split(_AT_A_TIME):
        x = _flat(some)
        total, squares = total + x.sum(0), squares + x.square().sum(0)
    mean = total / count
    spread = (squares / count - mean.square()).clamp_min(0).sqrt().clamp_min(1e-6)
    x, labels = (_flat(train.inputs[chosen]) - mean) / spread, train.labels[chosen]
    scores = torch.empty(len(chosen), train.classes, dtype=torch.float64)
    for y in range(train.classes):
        matrix = torch.from_numpy(rng.standard_normal((x.shape[1], train.classes)))
        scores[labels == y] = x[labels == y] @ matrix
    return scores


def _flat(inputs: torch.Tensor) -> torch.Tensor:
    """float64 (n, D); images larger than 32×32 are made smaller, so that a matrix for each class fits into memory."""
    if inputs.dim() == 4 and max(inputs.shape[-2:]) > _SIDE:
        return F.adaptive_avg_pool2d(inputs.double(), _SIDE).flatten(1)
    return inputs.double().flatten(1)


def _draw(flips: torch.Tensor, labels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """One wrong label (n,) for each example, by its probabilities given that it is wrong."""
    wrong = flips.scatter(1, labels[:, None], 0.0)
    below = torch.from_numpy(rng.random(len(labels)))[:, None] * wrong.sum(1, keepdim=True)
    drawn = (wrong.cumsum(1) <= below).sum(1).clamp_max(flips.shape[1] - 1)
    # A sum that rounds can point at the right label, or past the last one: then the likeliest wrong one.
    return torch.where(wrong.gather(1, drawn[:, None])[:, 0] > 0, drawn, wrong.argmax(1))
