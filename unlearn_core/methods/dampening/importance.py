"""How much each parameter matters for a set of examples: the gradients that one-shot methods are made of.

Every pass here is in eval mode, on the plain view and in full precision: batch norm uses its running statistics and
leaves them alone, nothing is augmented, and no gradient is rounded to bfloat16.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, vmap

from unlearn_core.errors import Cancelled
from unlearn_core.training import DeviceData, Reporter

ExampleScore = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(logits (B, C), given labels (B,)) → one value per example (B,), whose gradient says which parameters matter."""

EXAMPLE_CHUNK = 64
"""Examples whose own gradients are held at once: memory is this many times the number of parameters."""

T = TypeVar("T")


def loss_score(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross entropy per example (SSD, ASSD)."""
    return F.cross_entropy(logits, labels, reduction="none")


def squared_norm_score(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """‖f(x)‖₂² per example: no labels needed (LF-SSD, arXiv:2402.19308)."""
    return logits.square().sum(1)


def norm_score(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """‖f(x)‖₂ per example: no labels, and outliers count less than squared (Potion, arXiv:2406.09173)."""
    norms: torch.Tensor = torch.linalg.vector_norm(logits, dim=1)
    return norms


SCORES: dict[str, ExampleScore] = {"loss": loss_score, "squared_norm": squared_norm_score, "norm": norm_score}


class Work:
    """Counted work without an optimiser: hears a cancellation before each piece, reports after it."""

    def __init__(self, reporter: Reporter, total: int) -> None:
        self.reporter, self.total, self.done = reporter, total, 0

    def pieces(self, items: Sequence[T]) -> Iterator[T]:
        """The items one by one; raises :class:`Cancelled`."""
        for item in items:
            if self.reporter.cancelled():
                raise Cancelled
            yield item
            self.done += 1
            self.reporter.step(self.done, self.total)


def matched_pieces(
    small: torch.Tensor, large: torch.Tensor, size: int, generator: torch.Generator
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Both id sets, shuffled, in pieces of one common size of at most ``size`` (within one example, up to rounding).

    The square of a batch-mean gradient shrinks with the batch: a small set that forms one short batch would otherwise
    look more important than it is. Nothing is dropped and nothing counts twice.
    """
    count = max(1, math.ceil(len(small) / size))
    common = len(small) / count
    return _even(small, count, generator), _even(large, max(1, math.ceil(len(large) / common)), generator)


def _even(ids: torch.Tensor, count: int, generator: torch.Generator) -> list[torch.Tensor]:
    shuffled = ids[torch.randperm(len(ids), generator=generator).to(ids.device)]
    return list(shuffled.tensor_split(min(count, max(1, len(ids)))))


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that a method may change, in the order of every flat vector here."""
    return [p for p in model.parameters() if p.requires_grad]


def flatten(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """One vector (P,) of all entries."""
    return torch.cat([t.reshape(-1) for t in tensors])


def write(model: nn.Module, values: torch.Tensor) -> None:
    """Put a flat vector (P,) into the trainable parameters."""
    with torch.no_grad():
        start = 0
        for parameter in trainable(model):
            parameter.copy_(values[start : start + parameter.numel()].view_as(parameter))
            start += parameter.numel()


def batch_gradient(model: nn.Module, data: DeviceData, ids: torch.Tensor, score: ExampleScore) -> torch.Tensor:
    """Gradient (P,) of the *mean* score of these examples."""
    model.eval()
    value = score(model(data.batch(ids)), data.labels[ids]).mean()
    return flatten(torch.autograd.grad(value, trainable(model), materialize_grads=True))


def example_gradients(model: nn.Module, data: DeviceData, ids: torch.Tensor, score: ExampleScore) -> torch.Tensor:
    """Each example's own gradient, (B, P)."""
    model.eval()
    fixed = {name: value.detach() for name, value in model.named_buffers()}
    named = {name: value.detach() for name, value in model.named_parameters()}
    moving = {name: named.pop(name) for name, p in model.named_parameters() if p.requires_grad}

    def one(parameters: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        logits = functional_call(model, (parameters, named, fixed), (x[None],))
        return score(logits, y[None])[0]

    rows = vmap(grad(one), in_dims=(None, 0, 0))(moving, data.batch(ids), data.labels[ids])
    return torch.cat([rows[name].reshape(len(ids), -1) for name in moving], dim=1)  # a parameter may be a single number


def importance(
    model: nn.Module,
    data: DeviceData,
    pieces: Sequence[torch.Tensor],
    score: ExampleScore,
    *,
    squared: bool,
    per_sample: bool,
    work: Work,
) -> torch.Tensor:
    """Importance (P,) of every parameter: the mean of g² (``squared``) or |g|.

    g is the gradient of the mean score of one piece, or with ``per_sample`` that of one example (the diagonal of the
    empirical Fisher information, where squared); then the pieces only bound the memory and don't change the result.
    """
    total = torch.zeros(sum(p.numel() for p in trainable(model)), device=data.device, dtype=trainable(model)[0].dtype)
    count = 0
    for ids in work.pieces(pieces):
        if per_sample or len(ids) == 1:
            for part in ids.split(EXAMPLE_CHUNK):
                rows = example_gradients(model, data, part, score)
                total += (rows.square() if squared else rows.abs()).sum(0)
            count += len(ids)
        else:
            g = batch_gradient(model, data, ids, score)
            total += g.square() if squared else g.abs()
            count += 1
    return total / max(1, count)
