"""One Newton-like step that removes F's influence, with an empirical Fisher matrix inverted exactly by Woodbury's identity."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.dampening.importance import (
    EXAMPLE_CHUNK,
    Work,
    batch_gradient,
    example_gradients,
    flatten,
    loss_score,
    trainable,
    write,
)
from unlearn_core.methods.shared.rounds import settled
from unlearn_core.training import Reporter


def inverse_fisher_product(gradients: torch.Tensor, vector: torch.Tensor, damping: float) -> torch.Tensor:
    """(λI + GᵀG/M)⁻¹ v for G (M, P) and v (P,), by Woodbury: (v − Gᵀ(MλI + GGᵀ)⁻¹Gv)/λ. Needs an (M, M) solve, no (P, P).

    The public implementations' recursion keeps a single gradient and so applies no curvature; this one is exact.
    """
    count = len(gradients)
    gram = (gradients @ gradients.T).double()
    gram.diagonal().add_(count * damping)
    # The Gram matrix is symmetric positive definite after damping, up to rounding that the damping dwarfs.
    weights: torch.Tensor = torch.linalg.solve(gram, (gradients @ vector).double())
    return (vector - gradients.T @ weights.to(vector.dtype)) / damping


class WFisherParams(MethodParams):
    scale: float = Field(
        1.0, gt=0, le=1e5, description="Length of the step; 1 is the Newton step that influence functions predict"
    )
    damping: float = Field(1e-3, gt=0, le=10, description="λ: added to the Fisher matrix's diagonal")
    samples: int = Field(1000, ge=1, le=10_000, description="Retain examples whose gradients make up the Fisher matrix")
    memory: int = Field(256, ge=1, le=65_536, description="MiB for those gradients; fewer are used where they would not fit")
    batch_size: int = Field(256, ge=1, le=8192, description="Examples in a batch of the two mean gradients")


@register
class WFisher(Method[WFisherParams]):
    """θ = θ₀ + α·F̂⁻¹·v,  v = g_F/N − g_R·n_F/(N·n_R),  F̂ = λI + (1/M)·Σ gᵢgᵢᵀ: one Newton-like step away from F.

    Symbols: g_F and g_R are gradients of the summed cross entropy over F and the retain set, n_F and n_R their sizes, N =
    n_F + n_R; gᵢ are the gradients of M = ``samples`` single retain examples, fewer where ``memory`` holds no more; λ is
    ``damping``, α is ``scale``. The inverse is exact, by Woodbury's identity. (F̂ is the Fisher matrix, F the forget set.)
    Given: F and the retain set with given labels; the original in eval mode.
    Fails: Influence holds near a minimum with curvature. Where everything is fitted g_F is tiny and F̂ is almost λI, so
    that the step does little, or for a small λ leaves the neighbourhood in which the expansion holds.
    Source: Koh and Liang 2017, arXiv:1703.04730 (influence functions); Singh and Alistarh 2020, arXiv:2004.14340
    (WoodFisher). The public implementations' recursion keeps a single gradient and applies no curvature.
    Values: The number of gradients is the published program's (arXiv:2310.12508). Length and damping of the step cannot be:
    that program's recursion applies no curvature, so its factors (1 to 20 there, 42,000 in arXiv:2412.02432) are for
    another direction. Here the step has the length that the theory gives it.
    """

    name, label, paper = "wfisher", "WoodFisher", "arXiv:2004.14340, arXiv:1703.04730"
    family = "ascent"
    revision = 2  # statistics measured on the retain set
    summary = (
        "Takes one step along the gradient of the forget set, bent by the curvature of the loss on the retain set, as "
        "influence functions predict. It relies on the loss being a bowl around the trained model, within which the step "
        "stays. Networks that fit everything have tiny gradients and no such bowl, so the step either does little or "
        "leaves it and breaks the model."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    presets = {
        "digits": {"samples": 500, "damping": 1e-2, "memory": 64},
        "points": {"samples": 500, "damping": 1e-2, "memory": 64},
    }
    search_space = {
        "scale": [0.5, 1.0, 2.0, 5.0, 20.0],
        "damping": [1e-3, 1e-2, 1e-1],
    }

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        model = task.original.eval()
        fisher_ids = self.fisher_examples(task)
        passes = [task.forget.split(self.p.batch_size), task.retain.split(self.p.batch_size), fisher_ids.split(EXAMPLE_CHUNK)]
        work = Work(reporter, sum(map(len, passes)))
        forget, retain = (self.summed_gradient(task, work, pieces) for pieces in passes[:2])
        gradients = torch.empty(len(fisher_ids), forget.numel(), dtype=forget.dtype, device=task.device)
        start = 0
        for ids in work.pieces(passes[2]):
            gradients[start : start + len(ids)] = example_gradients(model, task.data, ids, loss_score)
            start += len(ids)
        everyone = len(task.forget) + len(task.retain)
        direction = (forget - retain * len(task.forget) / max(1, len(task.retain))) / everyone
        step = inverse_fisher_product(gradients, direction, self.p.damping)
        write(model, flatten([q.detach() for q in trainable(model)]) + self.p.scale * step)
        return settled(model, task, reporter)

    def summed_gradient(self, task: UnlearningTask, work: Work, pieces: Sequence[torch.Tensor]) -> torch.Tensor:
        """Gradient (P,) of the summed cross entropy of all pieces."""
        total = torch.zeros_like(flatten(trainable(task.original)).detach())
        for ids in work.pieces(pieces):
            total += len(ids) * batch_gradient(task.original, task.data, ids, loss_score)
        return total

    def fisher_examples(self, task: UnlearningTask) -> torch.Tensor:
        """Random retain examples, as many as asked for and as the memory holds."""
        parameters = trainable(task.original)
        row = sum(q.numel() for q in parameters) * parameters[0].element_size()
        count = min(self.p.samples, max(1, self.p.memory * 2**20 // row), len(task.retain))
        generator = torch.Generator().manual_seed(task.seed + 1)
        return task.retain[torch.randperm(len(task.retain), generator=generator)[:count].to(task.device)]
