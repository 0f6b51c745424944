"""Example-tied dropout: train with channels that only some examples may use, then drop those (arXiv:2307.09542)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import nn

from unlearn_core.methods import Method, MethodParams, Region, UnlearningTask, register
from unlearn_core.methods.shared.rounds import Settling
from unlearn_core.models import example_masks
from unlearn_core.training import FreshTrainer, Reporter


class EtdParams(MethodParams):
    epochs: int = Field(0, ge=0, le=1000, description="Passes over all training data; 0 for as many as the original had")
    redirect_ratio: float = Field(1.0, gt=0, le=4, description="Extra channels for each base channel")
    mask_share: float = Field(0.2, gt=0, le=1, description="Share of the extra channels that one example may use")


@register
class Etd(Method[EtdParams]):
    """min_θ mean_D CE(m_i), the cross entropy of the given label under the example's own fixed mask: all base channels, and
    each extra channel with probability p_mem. Returned with the extra channels off, CE(drop).

    Symbols: p_mem ``mask_share`` · (1 − p_fixed)/p_fixed ``redirect_ratio`` · passes over D ``epochs``.
    Given: D with its labels as they are, and a fresh network; neither the original nor F is used.
    Fails: where corruption is shared by many examples, as a trigger is: the base learns it.
    Source: arXiv:2307.09542.
    Values: The values are those of arXiv:2505.17730: as many extra channels as base channels, a fifth of them for each
    example. The first publication's program keeps a fifth of a given network and gives each example a tenth of the rest, which
    is ``redirect_ratio`` 4 and ``mask_share`` 0.1 for a base of a fifth of the width.
    """

    name, label, paper = "etd", "Example-tied dropout", "arXiv:2307.09542"
    family = "redirection"
    summary = (
        "Trains a model of its own on everything, where each example always gets the same few of some extra channels, "
        "and then drops those channels. "
        "It relies on examples that share nothing with others being memorised in the channels that only they use. "
        "A trigger is shared by many examples, so the base learns it like any class, and the forget set is not used at all."
    )
    designed_for = Region(regularity=(0.0, 0.25))
    needs_forget = False
    needs_own_original = True
    revision = 2  # statistics are measured without dropout

    # A widened network costs several times the base: fewer epochs, so that it takes no longer than retraining.
    presets = {"digits": {"epochs": 7, "redirect_ratio": 0.5}, "points": {"epochs": 40}}
    search_space = {"mask_share": [0.05, 0.1, 0.2, 0.5], "redirect_ratio": [0.25, 0.5, 1.0], "epochs": [4, 7]}

    def unlearn(self, task: UnlearningTask, reporter: Reporter) -> nn.Module:
        p, network = self.p, task.fresh_model(task.seed + 1)
        network.widen(p.redirect_ratio, task.seed + 1)
        recipe = task.recipe.model_copy(update={"epochs": p.epochs or task.recipe.epochs})

        def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
            masks = example_masks(ids, network.redirect_channels, p.mask_share, task.seed)
            return F.cross_entropy(model(x, masks).float(), y)

        progress = Settling(reporter, task.data, task.everything)
        return FreshTrainer(network, task.data, recipe, task.seed + 1, progress, loss).fit(task.everything)
