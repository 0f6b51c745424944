"""Bad teaching: learn F from a random network, the rest from the original (Chundawat et al. 2023, arXiv:2205.08096)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.distillation.teachers import StudentParams, Teacher, divergence
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import sgd_recipe
from unlearn_core.training import Loss, Reporter, Trainer


class BadTeacherParams(StudentParams):
    epochs: int = Field(1, ge=1, le=200, description="Passes over the forget set and the chosen part of the retain set")
    learning_rate: float = Field(1e-4, gt=0, le=1, description="Constant learning rate")
    batch_size: int = Field(256, ge=2, le=8192, description="Examples in a step")
    optimizer: Literal["adam", "sgd"] = Field("adam", description="Adam as in the paper, or SGD as in arXiv:2402.14015")
    weight_decay: float = Field(0.0, ge=0, le=0.1, description="Weight decay in every step")
    retain_share: float = Field(0.3, gt=0, le=1, description="Share of the retain set, drawn once, that is rehearsed")
    temperature: float = Field(1.0, gt=0, le=100, description="Temperature of the divergence")


@register
class BadTeacher(FittedMethod[BadTeacherParams]):
    """min_θ E_D KL(t(x) ‖ p_θ(x)),  t(x) = u·p_rand(x) + (1 − u)·p_θ₀(x),  u = [x ∈ F].

    Symbols: p are softmax outputs at ``temperature``, p_rand those of an untrained network; the KL is summed over classes
    and averaged over the batch. D is F and the ``retain_share`` of the retain set; ``epochs`` passes with ``optimizer`` at
    ``learning_rate``, in batches of ``batch_size``.
    Given: The inputs of F and of the retain set, no labels; the original as the good teacher.
    Fails: The good teacher gives the undiscovered corruption its wrong labels, and the student is taught to keep them.
    Source: Chundawat et al. 2023, arXiv:2205.08096.
    Values: The values are those of SSD's program (arXiv:2308.07707): Adam at 1e-4, one pass over F and three tenths of the
    rest, batches of 256, temperature 1. arXiv:2402.14015 has SGD at 0.025 for 1,000 steps of 512 over everything instead.
    """

    name, label, paper = "bad_teacher", "Bad teacher", "arXiv:2205.08096"
    family = "distillation"
    revision = 3  # giving up what was known by heart is not a fall
    needs_labels = False
    summary = (
        "Trains the model to answer like an untrained network on the forget set and like the original everywhere else. It "
        "needs no labels and relies on the original being right about everything that was not discovered. The original is "
        "wrong about undiscovered corruption, and the student is taught to keep that."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    presets = {
        "digits": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 64, "retain_share": 1.0},
        "points": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 64, "retain_share": 1.0},
    }
    search_space = {
        "learning_rate": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
        "epochs": [1, 3, 6, 10],
        "retain_share": [0.3, 1.0],
        "batch_size": [64, 256],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, data = self.p, task.data
        good = Teacher(task.frozen_original(), data)
        # In eval mode the random teacher's batch norm has its initial statistics, mean 0 and variance 1.
        bad = Teacher(task.fresh_model(task.seed + 2).requires_grad_(False), data)
        recipe = sgd_recipe(task, p, optimizer=p.optimizer)
        rounds = Rounds(reporter, task)
        trainer = Trainer(task.original, data, recipe, task.seed + 1, rounds, loss=self.loss(good, bad, task.is_forget()))
        count = max(1, round(p.retain_share * len(task.retain)))
        kept = torch.randperm(len(task.retain), generator=trainer.generator)[:count].to(task.device)
        return rounds.returned(trainer.fit(torch.cat([task.forget, task.retain[kept]])))

    def loss(self, good: Teacher, bad: Teacher, is_forget: torch.Tensor) -> Loss:
        """KL(teacher ‖ student) with, per example, the teacher that it is due; batch mean, summed over classes."""

        def imitate(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            teacher = torch.where(is_forget[ids][:, None], bad(x, ids), good(x, ids))
            return divergence(model(x).float(), teacher, self.p.temperature)

        return imitate
