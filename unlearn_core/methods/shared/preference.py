"""The bounded loss of negative preference optimisation, and the loop that lowers the forget accuracy with it."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods.base import UnlearningTask
from unlearn_core.training import DeviceData, Reporter, autocast, batches, predict, real
from unlearn_core.training.cuda_graph import Replay


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


class ForgetSteps:
    """Steps on F that raise its loss, and looks at how much of it is left; both recorded where steps are.

    ``objective(ce, ids)`` is minimised, with ``ce`` (B,) from the model with redirect off. The model is in train mode, as
    in the references: batch norm normalises F by its own statistics, and its running statistics move towards them.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        task: UnlearningTask,
        objective: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        generator: torch.Generator,
        clip: float = 0.0,
    ) -> None:
        self.model, self.optimizer, self.task, self.objective = model, optimizer, task, objective
        self.generator, self.clip = generator, clip
        self._step, self._see = Replay(self._update, task.device), Replay(self._predict, task.device)
        for replay in (self._step, self._see):
            replay.on &= type(task.data) is DeviceData and isinstance(optimizer, torch.optim.SGD)

    def is_out(self, threshold: float, least_loss: float) -> bool:
        """Whether F is out of the network: few of its given labels are said, and (median) none of them is near."""
        logits, given = self._see(self.task.forget), self.task.data.labels[self.task.forget]
        if (logits.argmax(1) == given).float().mean().item() > threshold:
            return False
        return not least_loss or F.cross_entropy(logits, given, reduction="none").median().item() >= least_loss

    def take(self, ids: torch.Tensor) -> None:
        """One optimiser step on these members of F."""
        draws = self.task.data.draw(len(ids), self.generator) if self._step.on else ()
        self._step(ids, *draws)

    def _predict(self, ids: torch.Tensor) -> torch.Tensor:
        return predict(self.model, self.task.data, ids)

    def _update(self, ids: torch.Tensor, *draws: torch.Tensor) -> torch.Tensor:
        with autocast(self.task.device):
            logits = real(self.model(self.task.data.batch(ids, draws or self.generator)))
        loss = self.objective(F.cross_entropy(logits, self.task.data.labels[ids], reduction="none"), ids)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        return loss.detach()


def lower_forget_accuracy(
    steps: ForgetSteps,
    reporter: Reporter,
    *,
    threshold: float,
    max_passes: int,
    batch_size: int,
    least_loss: float = 0.0,
    on_pass: Callable[[int], None] | None = None,
) -> int:
    """Passes over F until its accuracy on given labels is at most ``threshold`` and the median of its losses at least
    ``least_loss``; returns how many were made."""
    model = steps.model
    for done in range(max_passes):
        if steps.is_out(threshold, least_loss):
            return done
        model.train()
        for ids in batches(steps.task.forget, batch_size, steps.generator):
            if reporter.cancelled():
                raise Cancelled
            steps.take(ids)
        model.eval()
        if on_pass is not None:
            on_pass(done + 1)
    return max_passes
