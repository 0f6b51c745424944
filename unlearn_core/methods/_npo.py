"""The bounded loss of negative preference optimisation, and the loop that lowers the forget accuracy with it."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods._base import UnlearningTask
from unlearn_core.training import Reporter, autocast, batches, predict


def bounded_loss(ce: torch.Tensor, reference: torch.Tensor, beta: float) -> torch.Tensor:
    """ℓ(CE, CE₀) = (2/β)·log σ(β·(CE − CE₀)) per example (arXiv:2404.05868, eq. 3, for a classifier).

    At most 0. Minimising −ℓ raises CE with a pull that fades once CE exceeds CE₀; minimising ℓ lowers CE.
    """
    return (2 / beta) * F.logsigmoid(beta * (ce - reference))


def accuracy_on(model: nn.Module, task: UnlearningTask, ids: torch.Tensor) -> float:
    """Accuracy against the labels as given, eval mode, redirect off. Waits for the device: call once a round at most."""
    if len(ids) == 0:
        return 0.0
    return (predict(model, task.data, ids).argmax(1) == task.data.labels[ids]).float().mean().item()


def example_losses(model: nn.Module, task: UnlearningTask, ids: torch.Tensor) -> torch.Tensor:
    """Cross entropy (len(ids),) on given labels, eval mode, redirect off."""
    return F.cross_entropy(predict(model, task.data, ids), task.data.labels[ids], reduction="none")


def _is_out(model: nn.Module, task: UnlearningTask, threshold: float, least_loss: float) -> bool:
    """Whether the forget set is out of the network: few of its given labels are said, and (median) none of them is near."""
    if accuracy_on(model, task, task.forget) > threshold:
        return False
    return not least_loss or example_losses(model, task, task.forget).median().item() >= least_loss


def lower_forget_accuracy(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    task: UnlearningTask,
    reporter: Reporter,
    objective: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    threshold: float,
    max_passes: int,
    batch_size: int,
    generator: torch.Generator,
    clip: float = 0.0,
    least_loss: float = 0.0,
    on_pass: Callable[[int], None] | None = None,
) -> int:
    """Passes over F until its accuracy on given labels is at most ``threshold`` and the median of its losses at least
    ``least_loss``; returns how many were made.

    ``objective(ce, ids)`` is minimised, with ``ce`` (B,) from the model with redirect off. The model is in train mode, as
    in the references: batch norm normalises F by its own statistics, and its running statistics move towards them.
    """
    for done in range(max_passes):
        if _is_out(model, task, threshold, least_loss):
            return done
        model.train()
        for ids in batches(task.forget, batch_size, generator):
            if reporter.cancelled():
                raise Cancelled
            with autocast(task.device):
                logits = model(task.data.batch(ids, generator)).float()
            loss = objective(F.cross_entropy(logits, task.data.labels[ids], reduction="none"), ids)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
        model.eval()
        if on_pass is not None:
            on_pass(done + 1)
    return max_passes
