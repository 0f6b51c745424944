"""DUCK: pull the forget set's features to the nearest wrong class centroid (Cotogni et al. 2023, arXiv:2312.02052)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods import MethodParams, Region, UnlearningTask, accuracy_on, register
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import Rounds
from unlearn_core.methods.shared.sgd import Cycle, count_batches, phases, statistics_kept
from unlearn_core.models import RedirectNet
from unlearn_core.training import Reporter, Trainer, batches

CHUNK = 1024
POLISH_RATE = 1e-4


class DuckParams(MethodParams):
    epochs: int = Field(10, ge=1, le=200, description="At most so many passes over the forget set")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Adam's constant learning rate")
    batch_size: int = Field(1024, ge=2, le=8192, description="Examples of each set in a step")
    retain_batches: int = Field(40, ge=1, le=1000, description="Steps, each with its own retain batch, per forget batch")
    forget_weight: float = Field(1.0, ge=0, le=100, description="Weight of the distance to the centroid")
    retain_weight: float = Field(1.4, ge=0, le=100, description="Weight of the retain set's cross entropy")
    temperature: float = Field(2.0, gt=0, le=100, description="Divides the retain set's logits")
    stop_share: float = Field(
        1.0, ge=0, le=1, description="Stop once the forget accuracy is below this share of that on the held-out examples"
    )
    held_out: float = Field(0.1, gt=0, le=0.5, description="Share of the retain set that is held out for the stop rule")
    polish_epochs: int = Field(2, ge=0, le=50, description="Passes over the retain set at the end, at a small rate")


@register
class Duck(FittedMethod[DuckParams]):
    """min_θ λ₁·E_F[1 − cos(h(x), μ_{c*(x)})] + λ₂·CE_R(g∘h / T),  c*(x) = argmin_{c ≠ y} 1 − cos(h₀(x), μ_c).

    Symbols: h are the features and g the classifier, μ_c the mean feature of the retain set's class c, computed once with
    the original h₀; λ₁ is ``forget_weight``, λ₂ is ``retain_weight``, T is ``temperature``. ``retain_batches`` steps go
    with each batch of F, in at most ``epochs`` passes, until F's accuracy is below ``stop_share`` of that on the
    ``held_out`` part of R; ``polish_epochs`` passes at a small rate follow.
    Given: R and F with their given labels.
    Fails: The nearest other class need not be the right one: under a trigger, or with centroids that the corruption has
    moved, it can be any. R rehearses the undiscovered corruption.
    Source: Cotogni et al. 2023, arXiv:2312.02052.
    Values: The values are the published ones for random samples of CIFAR-10, but for what rests on the test set: F's
    accuracy is compared with that on held-out training examples, and the last fit goes over the retain set twice, where the
    program makes 20 steps of 512 for each batch of F.
    """

    name, label, paper = "duck", "DUCK", "arXiv:2312.02052"
    family = "distillation"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Pulls the features of each forget example to the nearest class centroid other than its given label's, "
        "while everything else keeps its labels. "
        "It relies on a corrupted example lying nearest to the class that it really belongs to. "
        "With a trigger, or centroids that the corruption itself has moved, the nearest class can be any, "
        "and undiscovered corruption is rehearsed."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    presets = {
        "digits": {"batch_size": 128, "retain_batches": 8, "stop_share": 0.1},
        "points": {"batch_size": 128, "retain_batches": 8, "stop_share": 0.1},
    }
    search_space = {
        "learning_rate": [3e-4, 1e-3, 3e-3],
        "forget_weight": [0.5, 1.0, 3.0],
        "retain_batches": [4, 8, 16],
        "stop_share": [0.05, 0.1, 0.3],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        return Distillation(self.p, task, reporter).run()


def centroids_of(features: torch.Tensor, labels: torch.Tensor, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean feature of each class (classes, D), zeros for a class without examples, and bool (classes,): which have some."""
    sums = features.new_zeros(classes, features.shape[1]).index_add_(0, labels, features)
    counts = torch.bincount(labels, minlength=classes)
    return sums / counts.clamp_min(1)[:, None], counts > 0


def nearest_wrong(features: torch.Tensor, given: torch.Tensor, centroids: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """int64 (B,): for each example the class of smallest cosine distance that has a centroid and isn't the given one."""
    similarity = F.cosine_similarity(features[:, None], centroids[None], dim=2).masked_fill(~known, -torch.inf)
    return similarity.scatter(1, given[:, None], -torch.inf).argmax(1)


class Distillation:
    """One run: fixed centroids, and a target for each forget example that is stored by its index.

    Both passes of a step are in train mode.
    """

    def __init__(self, params: DuckParams, task: UnlearningTask, reporter: Reporter) -> None:
        self.p, self.task = params, task
        self.model: RedirectNet = task.original
        self.generator = torch.Generator().manual_seed(task.seed + 2)
        order = task.retain[torch.randperm(len(task.retain), generator=self.generator).to(task.device)]
        held = max(1, round(params.held_out * len(order)))
        self.held, self.kept = order[:held], order[held:]
        retain_steps = count_batches(len(self.kept), params.batch_size)
        self.per_forget = min(params.retain_batches, retain_steps)
        self.pulls = params.epochs * count_batches(len(task.forget), params.batch_size) * self.per_forget
        looks = -(-len(task.retain) // CHUNK) + 1
        self.rounds = Rounds(reporter, task)
        self.looking, self.pulling, self.polishing = phases(self.rounds, looks, self.pulls, params.polish_epochs * retain_steps)

    def run(self) -> nn.Module:
        self.aim()
        self.pull()
        if self.p.polish_epochs:
            self.polish()
        return self.rounds.returned(self.model)

    @torch.no_grad()
    def aim(self) -> None:
        """Centroids of the retain set and the target of every forget example: eval mode, plain view, once."""
        task, data = self.task, self.task.data
        self.model.eval()
        parts = []
        pieces = [*task.retain.split(CHUNK), task.forget]
        for done, ids in enumerate(pieces):
            if self.looking.cancelled():
                raise Cancelled
            parts.append(self.model.features(data.batch(ids)).float())
            self.looking.step(done + 1, len(pieces))
        centroids, known = centroids_of(torch.cat(parts[:-1]), data.labels[task.retain], data.classes)
        # A row for every training index, so that a shuffled batch finds its own (the published code loses track).
        self.targets = centroids.new_zeros(len(data), centroids.shape[1])
        self.targets[task.forget] = centroids[nearest_wrong(parts[-1], data.labels[task.forget], centroids, known)]

    def pull(self) -> None:
        """Passes over F, each batch of it with several of the retain set, until the forget accuracy is low enough."""
        p, task = self.p, self.task
        trainer, done = self.trainer(p.learning_rate, p.epochs, self.pulling, p.forget_weight, p.retain_weight), 0
        for _ in range(p.epochs):
            self.model.train()
            for piece in batches(task.forget, p.batch_size, self.generator):
                self.pulled = piece
                for ids in batches(self.kept, p.batch_size, self.generator)[: self.per_forget]:
                    trainer.step(ids)
                    done += 1
                    self.pulling.step(done, self.pulls)
            self.pulling.snapshot(self.model)
            # The published program compares with the test set, which is not there at unlearning time.
            if accuracy_on(self.model, task, task.forget) < p.stop_share * accuracy_on(self.model, task, self.held):
                break

    def polish(self) -> None:
        """A last fit on the retain set at a small, falling rate, with a tenth of the pull."""
        p = self.p
        cycle = Cycle(self.task.forget, p.batch_size, self.generator)
        trainer = self.trainer(POLISH_RATE, p.polish_epochs, self.polishing, p.forget_weight / 10, 1.0, cycle)
        trainer.fit(self.kept)

    def trainer(
        self, rate: float, epochs: int, work: Reporter, forget: float, retain: float, cycle: Cycle | None = None
    ) -> Trainer:
        """Adam on λ₁·mean distance of F's batch (``self.pulled``, or the next of ``cycle``) + λ₂·CE(logits / T)."""
        changes = {"epochs": epochs, "learning_rate": rate, "batch_size": self.p.batch_size, "weight_decay": 0.0}
        recipe = self.task.recipe.model_copy(update=changes | {"optimizer": "adam", "warmup": 0.0, "final": 0.0})

        def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            pulled = next(cycle) if cycle is not None else self.pulled
            with statistics_kept(model):
                features = self.model.features(self.task.data.batch(pulled, self.generator)).float()
            distance = 1 - F.cosine_similarity(features, self.targets[pulled], dim=1).mean()
            return forget * distance + retain * F.cross_entropy(model(x).float() / self.p.temperature, y)

        return Trainer(self.model, self.task.data, recipe, self.task.seed + 1, work, loss)
