"""AMUN: fine-tune on the forget set's nearest adversarial examples (Ebrahimpour-Boroojeny et al. 2025, arXiv:2503.00917)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from pydantic import Field
from torch import nn

from unlearn_core.errors import Cancelled, UserError
from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.adversarial.attack import Space, nearest_adversarial, radii
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import SgdParams, count_batches, phases, sgd_recipe
from unlearn_core.training import DeviceData, Draws, Reporter, Trainer
from unlearn_core.training.progress import SubProgress

CHUNK = 1024
"""Examples attacked at once."""


class AmunParams(SgdParams):
    batch_size: int = Field(128, ge=1, le=8192, description="Examples in a step")
    final: float = Field(0.01, ge=0, le=1, description="Learning rate at the end, as a share of the highest")
    use_retain: bool = Field(True, description="Also train on the retain set")
    adversarial_only: bool = Field(False, description="Leave out the forget examples themselves, with their given labels")
    first_radius: float = Field(
        0.04, gt=0, le=10, description="Smallest L2 radius tried: pixels on a scale of 0 to 1, or standard deviations"
    )
    attack_steps: int = Field(50, ge=1, le=500, description="Attack steps at each radius, a tenth of it long")
    largest_radius: float = Field(0.0, ge=0, le=1000, description="Radius at which to give up; 0 for all of the input space")


@register
class Amun(FittedMethod[AmunParams]):
    """min_θ CE over R ∪ F ∪ A,  A = {(x + δ, argmax f_θ₀(x + δ)) : x ∈ F},  δ the shortest change of x that alters its class.

    Symbols: R is the retain set (left out without ``use_retain``), F keeps its given labels (left out with
    ``adversarial_only``); δ, shortest in the L2 norm, is found by gradient steps of a tenth of a radius that starts at
    ``first_radius`` and doubles after ``attack_steps``, up to ``largest_radius``. The fit takes ``epochs`` passes, the rate
    falling to ``final`` of ``learning_rate``.
    Given: F with its given labels, and R.
    Fails: It takes the nearest other class to be the right one. It was made for forgetting right labels: R rehearses the
    undiscovered corruption, and without ``adversarial_only`` so does F.
    Source: Ebrahimpour-Boroojeny et al. 2025, arXiv:2503.00917. The attack follows the logits' margin and starts anew at
    each radius, where the published one follows the cross entropy and goes on.
    Values: The values are the published ones for CIFAR-10. Only the fall of the rate is another: there it is divided by ten
    every 1, 5 or 10 passes, whichever was best; here it falls linearly.
    """

    name, label, paper = "amun", "AMUN", "arXiv:2503.00917"
    family = "adversarial"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Finds, for each forget example, the smallest change that makes the network call it something else, "
        "and fine-tunes on these changed examples under that other label. "
        "It relies on the nearest other class being the right one, so that the boundary moves only there. "
        "It was made for forgetting correctly labelled examples: undiscovered corruption is rehearsed with the retain set."
    )
    designed_for = Region(regularity=(0.0, 0.5), discovery=(0.9, 1.0))

    presets = {
        "digits": {"learning_rate": 0.02, "batch_size": 64, "adversarial_only": True, "attack_steps": 20},
        "points": {"learning_rate": 0.01, "batch_size": 64, "adversarial_only": True, "attack_steps": 20},
    }
    search_space = {
        "learning_rate": [0.005, 0.01, 0.02, 0.05],
        "epochs": [5, 10],
        "adversarial_only": [False, True],
        "use_retain": [True, False],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, space = self.p, Space(task.data)
        if len(task.forget) == 0:
            raise UserError("AMUN attacks the forget set, and nothing is discovered here.")
        grid = radii(p.first_radius, p.largest_radius or space.largest_radius)
        chunks = task.forget.split(CHUNK)
        passes = len(chunks) * len(grid) * (p.attack_steps + 1)
        plain = torch.cat([task.retain] * p.use_retain + [task.forget] * (not p.adversarial_only) + [task.forget[:0]])
        recipe = sgd_recipe(task, p, final=p.final)
        most = count_batches(len(plain) + len(task.forget), recipe.batch_size)
        rounds = Rounds(reporter, task)
        attacking, training = phases(rounds, passes, recipe.epochs * most)
        data, extra = self._attack(task, space, grid, chunks, attacking)
        ids = torch.cat([plain, extra])
        if len(ids) == 0:
            raise UserError("AMUN found no adversarial example within its largest radius, and has nothing else to train on.")
        return rounds.returned(Trainer(task.original, data, recipe, task.seed + 1, training).fit(ids))

    def _attack(
        self, task: UnlearningTask, space: Space, grid: list[float], chunks: tuple[torch.Tensor, ...], work: SubProgress
    ) -> tuple[DeviceData, torch.Tensor]:
        """The training set with the successful adversarial examples behind it, and the indices of these."""
        classify, done = space.classifier(task.frozen_original()), 0

        def tick() -> None:
            nonlocal done
            if work.cancelled():
                raise Cancelled
            done += 1
            work.step(done, work.size)

        values, labels = [], []
        for ids in chunks:
            found = nearest_adversarial(
                classify, space.values(ids), task.data.labels[ids], grid, self.p.attack_steps, space.bounded, tick
            )
            # Without success there is no adversarial example to learn from: such a forget example is left out.
            values.append(space.normalise(found.values[found.success]))
            labels.append(found.labels[found.success])
        added, data = torch.cat(values), task.data
        extended = _Extended(
            data.inputs, torch.cat([data.labels, *labels]), data.classes, data.mean, data.std, data.augmentation, added=added
        )
        return extended, torch.arange(len(data), len(data) + len(added), device=task.device)


@dataclass(frozen=True)
class _Extended(DeviceData):
    """A training set followed by examples that are normalised floats: never quantised, and never augmented."""

    added: torch.Tensor = field(kw_only=True)

    def batch(self, ids: torch.Tensor, generator: torch.Generator | Draws | None = None) -> torch.Tensor:
        if len(self.added) == 0:
            return super().batch(ids, generator)
        first = len(self.inputs)
        x = super().batch(ids.clamp_max(first - 1), generator)
        extra = self.added[(ids - first).clamp_min(0)]
        return torch.where((ids >= first).reshape(-1, *[1] * (x.dim() - 1)), extra, x)
