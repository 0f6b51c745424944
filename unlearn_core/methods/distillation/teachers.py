"""What distillation methods share: frozen teachers, the divergence, and the parameters of a student's training."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.methods.shared.sgd import SgdParams
from unlearn_core.training import DeviceData, predict


class StudentParams(SgdParams):
    epochs: int = Field(3, ge=1, le=200, description="Passes over the data")
    learning_rate: float = Field(5e-4, gt=0, le=1, description="Highest learning rate")
    batch_size: int = Field(128, ge=2, le=8192, description="Examples in a step")
    clip: float = Field(0.0, ge=0, le=100, description="Largest gradient norm; 0 leaves gradients alone")


def divergence(student: torch.Tensor, teacher: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """T²·KL(teacher ‖ student) of logits (B, C) at temperature T: summed over classes, averaged over the batch.

    (``F.kl_div``'s default averages over classes too; the references that use it minimise a loss C times smaller.)
    """
    q, p = F.log_softmax(student / temperature, dim=1), F.log_softmax(teacher / temperature, dim=1)
    return temperature**2 * F.kl_div(q, p, reduction="batchmean", log_target=True)


class Teacher:
    """A frozen network in eval mode (running statistics, no gradient) that says what logits the student should give.

    Without augmentation its answers are constants, computed once; with it, it sees the student's own augmented batch.
    """

    def __init__(self, model: nn.Module, data: DeviceData) -> None:
        self.model = model.eval()
        self.answers = predict(model, data) if data.augmentation is None else None

    def __call__(self, x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) for inputs ``x`` of the examples ``ids``."""
        if self.answers is not None:
            return self.answers[ids]
        with torch.no_grad():
            logits: torch.Tensor = self.model(x)
            return logits.float()
