"""Channel Lipschitz pruning (Zheng et al. 2022, ECCV): without any data."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from unlearn_core.errors import Cancelled
from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared.channels import Hidden, hidden_layers, switch_off
from unlearn_core.methods.shared.rounds import add_report
from unlearn_core.training import Reporter


class ClpParams(MethodParams):
    deviations: float = Field(
        3.0, gt=0, le=100, description="u: prune channels so many standard deviations above the layer's mean"
    )


@register
class Clp(Method[ClpParams]):
    """γ_c ← 0, β_c ← 0 where L_c > mean(L) + u·std(L) over the layer's channels,  L_c = σ_max(K_c)·|γ_c| / σ_c.

    A channel that can answer very strongly to a small change of its input is suspicious; no example is looked at.

    Symbols: K_c is channel c's kernel as a matrix (inputs × places), σ_max its largest singular value; γ_c, β_c and σ_c are the
    scale, the shift and the running standard deviation of the batch norm behind it; std has n − 1; u is ``deviations``.
    Given: The original, and nothing else: two inputs go through it to show which norm takes what which layer gives.
    Fails: Where the corruption has no channel of its own. Of n channels none can lie more than (n − 1)/√n deviations above the
    mean, so with u = 3 nothing is ever pruned in a layer of fewer than 11 channels, and little in small networks.
    Source: Zheng et al. 2022, "Data-free backdoor removal based on channel Lipschitzness" (ECCV). Only convolutions with a
    batch norm behind them are looked at, as there. In a network without any such pair these are all hidden layers: L_c is then
    σ_max(K_c), a row's norm in a linear layer, and the weight and the bias of the channel become 0.
    Values: u = 3 is the published one. For small networks it is 1.5, half of that.
    """

    name, label, paper = "clp", "CLP", "Zheng et al. 2022 (ECCV)"
    family = "dampening"
    cost = 0.01
    statistics = "kept"
    needs_forget = False
    needs_retain = False
    needs_labels = False
    summary = (
        "Switches off the channels that can react far more strongly than others of their layer, judged by the weights alone. "
        "It relies on a trigger having such channels. "
        "It is instant and needs nothing: no forget set, no checked example, no data. What has no channels of its own stays."
    )
    designed_for = Region(regularity=(0.75, 1.0))
    presets = {"digits": {"deviations": 1.5}, "points": {"deviations": 1.5}}
    published = {"": {"deviations": 3.0}}
    search_space = {"deviations": [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5, 4.0]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        model = task.original
        layers = hidden_layers(model, task.data)
        layers = [one for one in layers if one.is_convolution and one.norm is not None] or layers
        pruned = 0
        for done, layer in enumerate(layers, 1):
            if reporter.cancelled():
                raise Cancelled
            off = outliers(lipschitz(layer), self.p.deviations)
            switch_off(layer.scale, off)
            pruned += int(off.sum())
            reporter.step(done, len(layers))
        reporter.snapshot(model.eval())
        add_report(model, pruned={"channels": pruned})
        return model


def lipschitz(hidden: Hidden) -> torch.Tensor:
    """How strongly each channel of a layer can answer, at most, to a change of its input, (channels,) float64."""
    kernels = hidden.layer.weight.detach().double()
    largest: torch.Tensor = torch.linalg.matrix_norm(kernels.reshape(*kernels.shape[:2], -1), ord=2)
    norm = hidden.norm
    if norm is None or norm.running_var is None:
        return largest
    return largest * norm.weight.detach().double().abs() / (norm.running_var.double() + norm.eps).sqrt()


def threshold(values: torch.Tensor, deviations: float) -> float:
    """Mean + ``deviations`` standard deviations (n − 1) of a layer's values (n,); infinite for a single one."""
    return float(values.mean() + deviations * values.std()) if len(values) > 1 else float("inf")


def outliers(values: torch.Tensor, deviations: float) -> torch.Tensor:
    """bool (n,): which values lie above :func:`threshold`."""
    return values > threshold(values, deviations)
