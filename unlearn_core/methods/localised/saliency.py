"""Which parameters hold what the forget set taught (DEL, arXiv:2412.02432; SalUn, arXiv:2310.12508), and training only those.

The gradient is that of the *sum* of the examples' losses, in eval mode on the plain view: unlike the references' sum of
batch means it doesn't depend on how F falls into batches. Absolute values are taken after summing, as in both papers.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.errors import Cancelled, UserError
from unlearn_core.methods.base import UnlearningTask
from unlearn_core.training import Reporter

Criterion = Literal["weighted_grad", "grad", "weight", "weighted_grad_all"]
Granularity = Literal["channel", "param"]
Localise = Literal["none", "del", "salun"]
Tensors = dict[str, torch.Tensor]

CHUNK = 512
"""Examples in one pass of the gradient; only speed and memory depend on it."""
TOP_SHARE = 0.1
"""Share of a channel's weights whose mean criticality is the channel's (the paper's 10 %)."""


def gradient_steps(task: UnlearningTask, criterion: Criterion) -> int:
    """Passes that :func:`localise` makes: the work it will report."""
    return -(-len(_examples(task, criterion)) // CHUNK)


def localise(
    model: nn.Module,
    task: UnlearningTask,
    reporter: Reporter,
    *,
    criterion: Criterion,
    granularity: Granularity,
    share: float,
) -> Tensors:
    """Parameter name → bool mask of its shape, True for the critical ``share`` of all parameters.

    Raises :class:`UserError` where there is no forget set to localise.
    """
    gradients = _gradients(model, task, _examples(task, criterion), reporter)
    return select(criticality(dict(model.named_parameters()), gradients, criterion), granularity, share)


def masks_for(model: nn.Module, task: UnlearningTask, reporter: Reporter, how: Localise, share: float) -> Tensors | None:
    """The localisation of a paper as other methods use it: DEL's channels, SalUn's weights, or None for all parameters."""
    if how == "none":
        return None
    criterion: Criterion = "weighted_grad" if how == "del" else "grad"
    granularity: Granularity = "channel" if how == "del" else "param"
    return localise(model, task, reporter, criterion=criterion, granularity=granularity, share=share)


def mask_steps(task: UnlearningTask, how: Localise) -> int:
    """Passes that :func:`masks_for` makes."""
    return 0 if how == "none" else gradient_steps(task, "grad")


def criticality(weights: Tensors, gradients: Tensors, criterion: Criterion) -> Tensors:
    """Score of every parameter element: |θ·G|, |G| or |θ|, with G the summed gradient of the loss."""
    if criterion == "weight":
        return {name: weights[name].detach().abs() for name in weights}
    if criterion == "grad":
        return {name: gradients[name].abs() for name in weights}
    return {name: (weights[name].detach() * gradients[name]).abs() for name in weights}


def select(scores: Tensors, granularity: Granularity, share: float) -> Tensors:
    """The best-scored units, whole, until ``share`` of all elements is reached (the last unit may pass it).

    A unit of "param" is an element. A unit of "channel" is a row of a tensor of two or more dimensions (an output channel
    with its fan-in), scored by the mean of its ⌈10 % of fan-in⌉ largest elements, or an element of a 1-D tensor. The
    paper's program takes 10 % of the number of *outputs* there, and splits the channel at the threshold at random.
    """
    by_channel = {name: granularity == "channel" and score.dim() > 1 for name, score in scores.items()}
    units = {name: _top_mean(s.flatten(1)) if by_channel[name] else s.flatten() for name, s in scores.items()}
    sizes = {name: s[0].numel() if by_channel[name] else 1 for name, s in scores.items()}
    values = torch.cat(list(units.values()))
    size = torch.cat([torch.full((len(unit),), sizes[name], device=unit.device) for name, unit in units.items()])
    order = values.argsort(descending=True, stable=True)
    taken = size[order]
    budget = max(1, math.floor(share * int(size.sum())))
    chosen = torch.empty(len(values), dtype=torch.bool, device=values.device)
    chosen[order] = (taken.cumsum(0) - taken) < budget
    picked = dict(zip(units, chosen.split([len(unit) for unit in units.values()]), strict=True))
    return {
        name: picked[name].reshape(-1, *[1] * (s.dim() - 1)).expand_as(s) if by_channel[name] else picked[name].reshape(s.shape)
        for name, s in scores.items()
    }


class Restriction:
    """Keeps every parameter outside the masks bit-identical; an ``after_step`` hook.

    Masking gradients would not do: weight decay and momentum move a weight without one. So the old value is put back after
    every step, and the optimiser's buffers are cleared there. Batch norm's running statistics are not parameters: like the
    references', they follow the training batches.
    """

    def __init__(self, model: nn.Module, masks: Tensors) -> None:
        self.parts = [
            (parameter, ~masks[name], parameter.detach().clone())
            for name, parameter in model.named_parameters()
            if not bool(masks[name].all())
        ]

    @torch.no_grad()
    def restore(self, optimizer: torch.optim.Optimizer) -> None:
        """Put unmasked values back and clear their momentum."""
        for parameter, frozen, reference in self.parts:
            parameter.copy_(torch.where(frozen, reference, parameter))
            for value in optimizer.state.get(parameter, {}).values():
                if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                    value.masked_fill_(frozen, 0)


def _examples(task: UnlearningTask, criterion: Criterion) -> torch.Tensor:
    return task.everything if criterion == "weighted_grad_all" else task.forget


def _top_mean(rows: torch.Tensor) -> torch.Tensor:
    """Mean of the k largest entries of each row, k = ⌈10 % of the row⌉: (out, fan_in) → (out,)."""
    return rows.topk(max(1, math.ceil(TOP_SHARE * rows.shape[1])), dim=1).values.mean(1)


def _gradients(model: nn.Module, task: UnlearningTask, ids: torch.Tensor, reporter: Reporter) -> Tensors:
    """Σ ∂CE/∂θ over these examples, eval mode, plain view, float32."""
    if len(task.forget) == 0:
        raise UserError("Localising needs a forget set, and nothing is discovered here.")
    model.eval()
    names, parameters = zip(*model.named_parameters(), strict=True)
    total = [torch.zeros_like(p) for p in parameters]
    for k, piece in enumerate(pieces := ids.split(CHUNK)):
        if reporter.cancelled():
            raise Cancelled
        loss = F.cross_entropy(model(task.data.batch(piece)), task.data.labels[piece], reduction="sum")
        torch._foreach_add_(total, list(torch.autograd.grad(loss, parameters)))
        reporter.step(k + 1, len(pieces))
    return dict(zip(names, total, strict=True))
