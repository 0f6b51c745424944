"""Adversarial neuron pruning (Wu and Wang 2021, arXiv:2110.14430)."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn
from torch.func import functional_call

from unlearn_core.errors import Cancelled
from unlearn_core.methods import MethodParams, Region, UnlearningTask, accuracy_on, register
from unlearn_core.methods.redirection.work import Setting
from unlearn_core.methods.shared.channels import channel_count, scaling_modules, switch_off
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.methods.shared.sgd import Cycle
from unlearn_core.methods.shared.trusted import TrustedMethod
from unlearn_core.training import SGD, Reporter

THRESHOLDS = tuple(k / 20 for k in range(18, 0, -1))
"""0.9, 0.85 … 0.05: below which a mask means that its channel is pruned."""


class AnpParams(MethodParams):
    steps: int = Field(2000, ge=1, le=100_000, description="Steps of the masks")
    noise: float = Field(0.4, gt=0, le=5, description="ε: largest relative change of a channel's scale and shift")
    clean_weight: float = Field(0.2, ge=0, le=1, description="α: weight of the loss without noise; the rest is with noise")
    learning_rate: float = Field(0.2, gt=0, le=10, description="Learning rate of the masks, with momentum 0.9")
    batch_size: int = Field(128, ge=1, le=8192, description="Checked examples in a step")
    limit: float = Field(0.1, ge=0, le=1, description="Accuracy on the checked examples that pruning may cost")


@register
class Anp(TrustedMethod[AnpParams]):
    """min_{m ∈ [0,1]} α·CE_V(m·γ, β) + (1 − α)·max_{|δ|,|ξ| ≤ ε} CE_V((m + δ)·γ, (1 + ξ)·β); then γ_c, β_c ← 0 where m_c < t.

    Channels that noise on their scale turns into a wrong class are those of a backdoor: their masks fall.

    Symbols: m, δ and ξ have an entry for each channel of every norm, whose scale is γ and shift β; V are the checked examples.
    A step draws δ and ξ within ±ε (``noise``), goes one signed step of ε up and clips; then a step of SGD on m alone. α is
    ``clean_weight``. t is the largest of 0.9, 0.85, … 0.05 at which accuracy on V falls by at most ``limit``; what is kept is
    kept at full strength. In eval mode throughout.
    Given: The original and V with its labels. F is not read.
    Fails: Where a wrong label has no channels of its own. Where V is part of what the network learned by heart, its accuracy
    there says little of how much pruning costs.
    Source: Wu and Wang 2021, arXiv:2110.14430; thresholds and limit as BackdoorBench has them, where they are read off test
    data. Its program leaves batch norm in train mode. Networks without batch norm: other norms, else hidden layers' outputs.
    Values: ε, α, 2,000 steps and batches of 128 are the published ones; rate and momentum those of its program, not verified.
    Small networks get 150 steps.
    """

    name, label, paper = "anp", "ANP", "arXiv:2110.14430"
    family = "dampening"
    cost = 0.4
    summary = (
        "Finds channels that turn checked examples into wrong classes when their strength is disturbed, and switches them off. "
        "It relies on a backdoor being more sensitive to such noise than anything else. "
        "It needs no forget set and trains no weight; wrong labels without a trigger have no such channels, and its published "
        "2,000 steps cost more than retraining on a few thousand images."
    )
    designed_for = Region(regularity=(0.75, 1.0))
    presets = {"digits": {"steps": 150}, "points": {"steps": 150}}
    published = {"": {"steps": 2000}}
    search_space = {"noise": [0.2, 0.4, 0.8], "clean_weight": [0.1, 0.2, 0.5], "limit": [0.02, 0.05, 0.1, 0.2]}

    @classmethod
    def expected_work(cls, params: AnpParams, setting: Setting) -> float:
        # Three passes forward and as many back, of which none goes to the weights.
        examples = params.steps * min(params.batch_size, setting.examples)
        return 2 * examples / (setting.recipe.epochs * setting.examples)

    def correct(self, task: UnlearningTask, checked: torch.Tensor, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        gates = Gates(model.eval(), scaling_modules(model, task.data))
        optimizer = SGD([gates.masks], lr=p.learning_rate, momentum=0.9)
        generator = torch.Generator().manual_seed(task.seed + 1)
        pieces = Cycle(checked, p.batch_size, generator)
        for done in range(1, p.steps + 1):
            if reporter.cancelled():
                raise Cancelled
            ids = next(pieces)
            x, y = task.data.batch(ids, generator), task.data.labels[ids]
            noise = worst_noise(gates, x, y, p.noise, generator)
            loss = p.clean_weight * gates.loss(x, y) + (1 - p.clean_weight) * gates.loss(x, y, *noise)
            (gates.masks.grad,) = torch.autograd.grad(loss, [gates.masks])
            optimizer.step()
            with torch.no_grad():
                gates.masks.clamp_(0, 1)
            reporter.step(done, p.steps)
        masks = gates.masks.detach()

        def accuracy(off: torch.Tensor) -> float:
            twin = copy.deepcopy(model)
            gates.prune(twin, off)
            return accuracy_on(twin, task, checked)

        chosen = choose_threshold(masks, accuracy, accuracy_on(model, task, checked) - p.limit)
        off = masks < chosen
        gates.prune(model, off)
        reporter.snapshot(model.eval())
        add_report(model, pruned={"channels": int(off.sum()), "of": len(off), "threshold": chosen})
        return model


class Gates:
    """A mask for each channel of some modules of a network: ``masks`` (channels,), all modules one behind the other."""

    def __init__(self, model: nn.Module, scales: dict[str, nn.Module]) -> None:
        self.model, self.scales, self.counts = model, scales, [channel_count(scale) for scale in scales.values()]
        weight = next(iter(scales.values())).weight
        self.masks = torch.ones(sum(self.counts), device=weight.device, requires_grad=True)  # type: ignore[arg-type]

    def loss(
        self, x: torch.Tensor, y: torch.Tensor, scale: torch.Tensor | float = 0.0, shift: torch.Tensor | float = 0.0
    ) -> torch.Tensor:
        """Mean cross entropy with scales times mask + ``scale`` and shifts times 1 + ``shift``, both (channels,) or 0."""
        factors, replaced = (self.masks + scale, torch.ones_like(self.masks) + shift), {}
        parts = [factor.split(self.counts) for factor in factors]
        for (name, module), *own in zip(self.scales.items(), *parts, strict=True):
            for kind, factor in zip(("weight", "bias"), own, strict=True):
                value = getattr(module, kind)
                if value is not None:
                    replaced[f"{name}.{kind}"] = value.detach() * factor.view(-1, *[1] * (value.dim() - 1))
        return F.cross_entropy(functional_call(self.model, replaced, (x,)), y)

    def prune(self, model: nn.Module, off: torch.Tensor) -> None:
        """Switch these channels, bool (channels,), of the network or of a copy of it off."""
        for name, part in zip(self.scales, off.split(self.counts), strict=True):
            switch_off(model.get_submodule(name), part)


def worst_noise(
    gates: Gates, x: torch.Tensor, y: torch.Tensor, size: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """What raises the loss of this batch: drawn within ±``size``, then one signed step of that length, clipped; for scales and
    for shifts, (channels,) each."""
    drawn = (2 * torch.rand(2, len(gates.masks), generator=generator) - 1).to(gates.masks.device) * size
    noise = drawn.requires_grad_(True)
    (slope,) = torch.autograd.grad(gates.loss(x, y, noise[0], noise[1]), [noise])
    scale, shift = (noise.detach() + size * slope.sign()).clamp(-size, size)
    return scale, shift


def choose_threshold(masks: torch.Tensor, accuracy: Callable[[torch.Tensor], float], least: float) -> float:
    """The largest of :data:`THRESHOLDS` at which ``accuracy``, with the channels below it off, is at least ``least``; 0 where
    none is."""
    return next((limit for limit in THRESHOLDS if accuracy(masks < limit) >= least), 0.0)
