"""Scaled activation projection (Kodge et al. 2025, arXiv:2403.08618)."""

from __future__ import annotations

import copy

import torch
from pydantic import Field
from torch import nn

from unlearn_core.methods import MethodParams, Region, UnlearningTask, accuracy_on, register
from unlearn_core.methods.shared.layer_inputs import input_moments, kernel_layers, moment_steps, weight_rows, write_rows
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.methods.shared.sgd import phases
from unlearn_core.methods.shared.trusted import TrustedMethod
from unlearn_core.training import Reporter

_FACTORS = (1, 3, 10, 30, 100)


def importance(share: torch.Tensor, alpha: float) -> torch.Tensor:
    """How much of a direction passes, 0 to 1; ``share`` is its part r of all that a layer sees: α·r / ((α − 1)·r + 1)."""
    return alpha * share / ((alpha - 1) * share + 1)


class Projection:
    """The weights of a network as it is now, turned so that each α takes a product; ``moments``: of its layers' inputs."""

    def __init__(self, model: nn.Module, moments: dict[str, torch.Tensor]) -> None:
        layers, self.parts = kernel_layers(model), []
        for name, moment in moments.items():
            squares, basis = torch.linalg.eigh(moment)
            squares = squares.clamp_min(0)
            share = squares / squares.sum(1, keepdim=True).clamp_min(1e-300)
            self.parts.append((layers[name], weight_rows(layers[name]).double() @ basis, basis, share))

    def apply(self, alpha: float) -> None:
        """Project the weights with this α."""
        for layer, turned, basis, share in self.parts:
            write_rows(layer, (turned * importance(share, alpha)[:, None]) @ basis.transpose(1, 2))


class SapParams(MethodParams):
    alpha: float = Field(0.0, ge=0, le=1e9, description="α: larger leaves more as it was; 0: chosen on the checked examples")
    alpha_least: float = Field(
        1e4, ge=1, le=1e8, description="Smallest α to choose from; the others are 3, 10, 30, 100 times it"
    )
    rows: int = Field(50_000, ge=100, le=10_000_000, description="Inputs of a layer, one for each position, that are looked at")


@register
class Sap(TrustedMethod[SapParams]):
    """W ← W·U·diag(a)·Uᵀ in every layer,  a_i = α·r_i / ((α − 1)·r_i + 1),  r = s² / Σ s²,  Σ_V x·xᵀ = U·diag(s²)·Uᵀ.

    Directions in which checked examples excite a layer pass; those that they hardly use are damped. No training.

    Symbols: W is the weight of a convolution or linear layer and x what it sees at one position, with its own kernel, stride,
    padding and dilation, of the checked examples V; at most ``rows`` of them. α is ``alpha``, or that of ``alpha_least`` · (1,
    3, 10, 30, 100) with the highest accuracy on the half of V that the projection was not made of, the smallest of equals.
    Given: The original and V with its labels. F is not read.
    Fails: A corruption that moves a layer in the directions of clean examples stays. With few checked examples the directions
    of rare clean ones are damped as well. Weights inside ``nn.MultiheadAttention`` stay as they are.
    Source: Kodge et al. 2025, arXiv:2403.08618. There V are the examples with the lowest loss of each label under the original;
    here what was checked, else the stand-in. Its program chooses α by validation data with clean labels: a leak, since nobody
    who has these needs the method. Biases and batch norm stay, as there.
    Values: The five values of α are the published ones, for layers with up to some thousand inputs; on small data they are
    lower in about the same proportion to a layer's inputs. Not tuned.
    """

    name, label, paper = "sap", "SAP", "arXiv:2403.08618"
    family = "dampening"
    cost = 0.05
    summary = (
        "Keeps, layer by layer, the directions in which checked examples excite the network, and damps all others, without "
        "training. It relies on the corruption using directions of its own. "
        "It takes one pass over some checked examples and needs no forget set; what shares its directions with clean examples "
        "stays."
    )
    designed_for = Region(regularity=(0.0, 0.5))
    presets = {"digits": {"alpha_least": 1e3}, "points": {"alpha_least": 300.0}}
    published = {"": {"alpha_least": 1e4}}
    search_space = {"alpha": [0.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6]}

    def correct(self, task: UnlearningTask, checked: torch.Tensor, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        order = torch.randperm(len(checked), generator=torch.Generator().manual_seed(task.seed + 1)).to(checked.device)
        halves = checked[order].tensor_split(2) if len(checked) > 1 else (checked, checked)
        *choosing, last = phases(reporter, *(moment_steps(model, task.data, ids) for ids in (*halves, checked)))
        alpha = p.alpha
        if not alpha:
            grid = [p.alpha_least * factor for factor in _FACTORS]
            scores = torch.zeros(len(grid))
            for ids, held, work in zip(halves, reversed(halves), choosing, strict=True):
                twin = copy.deepcopy(model)
                projection = self._projection(twin, task, ids, work)
                for k, one in enumerate(grid):
                    projection.apply(one)
                    scores[k] += accuracy_on(twin, task, held)
            alpha = grid[int(scores.argmax())]  # the first, and so the smallest, of equals
        self._projection(model, task, checked, last).apply(alpha)
        reporter.snapshot(model.eval())
        add_report(model, projection={"alpha": alpha})
        return model

    def _projection(self, model: nn.Module, task: UnlearningTask, ids: torch.Tensor, reporter: Reporter) -> Projection:
        return Projection(model, input_moments(model, task.data, ids, reporter, self.p.rows, task.seed + 1))
