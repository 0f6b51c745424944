"""Fine-pruning (Liu et al. 2018, arXiv:1805.12185)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import Field
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods import Region, UnlearningTask, accuracy_on, register
from unlearn_core.methods.redirection.work import Setting
from unlearn_core.methods.shared.channels import Hidden, hidden_layers, mean_activations, switch_off
from unlearn_core.methods.shared.fitting import FittedMethod
from unlearn_core.methods.shared.rounds import add_report, settled
from unlearn_core.methods.shared.sgd import SgdParams, count_batches, phases, sgd_recipe
from unlearn_core.methods.shared.trusted import TrustedMethod
from unlearn_core.person import STAND_IN_SHARE
from unlearn_core.training import Reporter, Trainer

_STEP = 0.01
"""Share of the layer's channels that one pruning step takes."""


class FinePruningParams(SgdParams):
    epochs: int = Field(100, ge=1, le=1000, description="Passes over the checked examples after pruning")
    limit: float = Field(0.1, ge=0, le=1, description="Accuracy on the checked examples that pruning may cost")


@register
class FinePruning(FittedMethod[FinePruningParams], TrustedMethod[FinePruningParams]):
    """Channels of the last convolution ← 0 in ascending order of their mean activation on V, while acc(V) ≥ acc₀(V) − limit;
    then min_θ CE_V(θ), in which they stay 0.

    Symbols: V are the checked examples. A channel's activation is the positive part of what the batch norm behind the
    convolution gives, averaged over V and over positions; a step takes 1 % of the channels, at least one. The fine-tuning takes
    ``epochs`` passes of SGD at ``learning_rate``, which falls to 0.
    Given: The original and V with its labels; of the retain set the inputs, to measure what batch norm normalises by.
    Fails: V decides on both order and stop: with few checked examples the activation of a rare class looks silent. A trigger
    that answers in channels of clean classes stays.
    Source: Liu et al. 2018, arXiv:1805.12185; step and limit as BackdoorBench has them. There the weights of the convolution
    become 0 and the norm behind still gives a constant; here the channel is silent. Without a convolution behind the first
    layer the last hidden linear layer takes its place.
    Values: BackdoorBench's: 0.01 for 100 passes in batches of 256, momentum 0.9, weight decay 5e-4; the rate falls in a line
    instead of along a cosine.
    """

    name, label, paper = "fine_pruning", "Fine-pruning", "arXiv:1805.12185"
    family = "dampening"
    cost = 0.15
    statistics = "measured"
    needs_retain = True
    summary = (
        "Switches off channels of the last convolution that are silent on checked examples, and fine-tunes on these. "
        "It relies on a trigger living in channels that clean data leave idle. "
        "It is quick and needs no forget set. With few checked examples it prunes what a rare class needs."
    )
    designed_for = Region(regularity=(0.75, 1.0))
    trial = {"epochs": 10}  # a pass over what was checked may be a single step
    search_space = {"limit": [0.02, 0.05, 0.1, 0.2, 0.4], "epochs": [20, 100], "learning_rate": [0.003, 0.01, 0.03]}

    @classmethod
    def expected_work(cls, params: FinePruningParams, setting: Setting) -> float:
        return params.epochs * STAND_IN_SHARE / setting.recipe.epochs  # as many as stand in: how many are checked is not known

    def correct(self, task: UnlearningTask, checked: torch.Tensor, reporter: Reporter) -> nn.Module:
        p, model = self.p, task.original
        recipe = sgd_recipe(task, p, final=0.0)
        chosen = last_channels(hidden_layers(model, task.data))
        order = mean_activations(model, task.data, checked, chosen).argsort(stable=True)
        pruning, tuning = phases(reporter, len(order), p.epochs * count_batches(len(checked), p.batch_size))

        def look(off: torch.Tensor) -> float:
            if reporter.cancelled():
                raise Cancelled
            kept = [value.detach().clone() for value in chosen.scale.parameters(recurse=False)]
            switch_off(chosen.scale, off)
            share = accuracy_on(model, task, checked)
            with torch.no_grad():
                for value, before in zip(chosen.scale.parameters(recurse=False), kept, strict=True):
                    value.copy_(before)
            pruning.step(int(off.sum()), len(order))
            return share

        off = prune(order, look, accuracy_on(model, task, checked) - p.limit)
        switch_off(chosen.scale, off)
        reporter.snapshot(model)
        trainer = Trainer(
            model, task.data, recipe, task.seed + 1, tuning, snapshots=False, after_step=lambda: switch_off(chosen.scale, off)
        )
        trainer.fit(checked)
        add_report(model, pruned={"channels": int(off.sum()), "of": len(off), "layer": chosen.name})
        return settled(model, task, reporter)


def last_channels(hidden: list[Hidden]) -> Hidden:
    """The last convolution; where that is the first layer (the patches of a transformer) or there is none, the last hidden
    layer."""
    last = next((one for one in reversed(hidden) if one.is_convolution), None)
    return hidden[-1] if last is None or last is hidden[0] else last


def prune(order: torch.Tensor, accuracy: Callable[[torch.Tensor], float], least: float) -> torch.Tensor:
    """bool (channels,): those to switch off. In ``order``, 1 % of them a step, as long as ``accuracy`` with them off is at
    least ``least``; the last is never among them."""
    off, step = torch.zeros(len(order), dtype=torch.bool, device=order.device), max(1, round(_STEP * len(order)))
    for part in order[:-1].split(step):
        tried = off.index_fill(0, part, True)
        if accuracy(tried) < least:
            break
        off = tried
    return off
