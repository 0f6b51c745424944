"""TARF: ascent on the forget set that fades out, and repair on what did not react to it (arXiv:2406.08288)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.preference import example_losses
from unlearn_core.methods.shared.rounds import Rounds, add_report
from unlearn_core.methods.shared.sgd import Cycle, SgdParams, count_batches, sgd_recipe, statistics_kept
from unlearn_core.training import Reporter, Trainer, batches, cross_entropy


class TarfParams(SgdParams):
    batch_size: int = Field(128, ge=1, le=8192, description="Examples of either set in a step")
    weight: float = Field(0.1, gt=0, le=10, description="Weight of the raised loss at the start")
    alone: float = Field(0.1, gt=0, lt=1, description="Share of the steps that go over the forget set alone")
    fades: float = Field(0.6, gt=0, le=1, description="Share of the steps after which the raised loss has no weight any more")
    held_back: float = Field(0.1, ge=0, lt=1, description="Share of the retain set that reacted most and is not repaired")
    clip: float = Field(1.0, ge=0, le=100, description="Largest gradient norm of a step; 0 leaves gradients alone")


@register
class Tarf(FittedMethod[TarfParams]):
    """min_θ CE_{R∖H}(θ) − k(t)·CE_F(θ), k(t) = k·max(0, 1 − t/t₀); for t < t₁ the second term alone.

    H are those of R whose loss was raised most by the first t₁ steps: what suffers with F is taken to be of its kind.

    Symbols: k is ``weight``; t₁ and t₀ are ``alone`` and ``fades`` of all steps, of which ``epochs`` passes over R have;
    |H| = ``held_back``·|R|. Batches of either set have ``batch_size`` examples; F's leave batch norm's statistics alone.
    Given: R and F with their given labels.
    Fails: Where undiscovered corruption shares nothing with F, it does not react, and is rehearsed.
    Source: arXiv:2406.08288.
    Values: Its program was not at hand. There reactions are compared with a fixed number, or by class; here their order counts,
    so that a value means the same on any data. Those of digits and points are from one look at a run with its ground truth, and
    wait for ``tune``.
    """

    name, label, paper = "tarf", "TARF", "arXiv:2406.08288"
    family = "ascent"
    summary = (
        "Raises the loss of the forget set, looks at which of the remaining examples lose with it, and repairs on the others "
        "alone while the raised loss fades out. "
        "It relies on undiscovered corruption reacting like the discovered. "
        "Where it does not, it is rehearsed as by fine-tuning."
    )
    designed_for = Region(regularity=(0.5, 1.0))
    presets = {
        "digits": {"learning_rate": 0.05, "batch_size": 64, "weight": 0.02},
        "points": {"learning_rate": 0.05, "batch_size": 64, "weight": 0.02},
    }
    search_space = {"weight": [0.02, 0.1, 0.3], "learning_rate": [0.005, 0.01, 0.02, 0.05], "held_back": [0.05, 0.1, 0.2]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        total = p.epochs * count_batches(len(task.retain), p.batch_size)
        alone, fades = max(1, round(p.alone * total)), max(1, round(p.fades * total))
        before = example_losses(model, task, task.retain)
        weight = 0.0

        def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            if not weight:
                return cross_entropy(model, x, y, ids)
            other = next(forget)
            with statistics_kept(model):
                raised = cross_entropy(model, task.data.batch(other, trainer.generator), task.data.labels[other], other)
            return -weight * raised if done < alone else cross_entropy(model, x, y, ids) - weight * raised

        rounds, done = Rounds(reporter, task), 0
        trainer = Trainer(model, task.data, sgd_recipe(task, p), task.seed + 1, rounds, loss)
        forget = Cycle(task.forget, p.batch_size, trainer.generator)
        kept = task.retain
        while done < total:
            model.train()
            for piece in batches(kept, p.batch_size, trainer.generator)[: total - done]:
                if done == alone:
                    kept = calm(task.retain, example_losses(model, task, task.retain) - before, p.held_back)
                weight = faded(p.weight, done, fades)
                rest = piece[torch.isin(piece, kept)] if done >= alone else piece
                if len(rest) > 1:  # a single example has no spread to be normalised by
                    trainer.step(rest)
                done += 1
                rounds.step(done, total)
            rounds.snapshot(model)
        add_report(model, held_back=len(task.retain) - len(kept))
        return rounds.returned(model)


def faded(weight: float, step: int, steps: int) -> float:
    """k(t): ``weight`` at step 0, falling to 0 at ``steps``."""
    return weight * max(0.0, 1 - step / steps)


def calm(ids: torch.Tensor, reaction: torch.Tensor, share: float) -> torch.Tensor:
    """``ids`` without the ``share`` of them whose ``reaction`` is highest, in their order."""
    order = reaction.argsort(descending=True)
    flags = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
    flags[order[: int(share * len(ids) + 0.5)]] = False
    return ids[flags]
