"""SalUn: random labels for the forget set, on its salient weights alone (Fan et al. 2024, arXiv:2310.12508)."""

from __future__ import annotations

from pydantic import Field

from unlearn_core.methods import Region, register
from unlearn_core.methods.localised.saliency import Localise
from unlearn_core.methods.shared.relabelling import Relabel, RelabelParams


@register
class Salun(Relabel):
    """min_θ CE(f_θ(x_F), ỹ) then CE_R(θ), θ = θ₀ outside the mask m = [|∇_θ CE_F(θ₀)| among the largest τ·P].

    Symbols: P is the number of parameters, τ is ``localise_share``; ỹ is uniform over the classes, drawn anew at every
    batch, with ``exclude_given`` never the given label; ``epochs``, ``batch_size`` and ``learning_rate`` are of the passes
    over F and R. ``localise`` takes another rule for m, or none.
    Given: R and F with their given labels (F's for the mask).
    Fails: It needs the corruption to sit in few weights and F to be all of it: R teaches the undiscovered rest to the same
    weights.
    Source: Fan et al. 2024, arXiv:2310.12508.
    Values: The values are those of the published program's example for 10 % of CIFAR-10: SGD at 0.013, ten passes in
    batches of 256, half of the weights, labels that may be the given ones.
    """

    name, label, paper = "salun", "SalUn", "arXiv:2310.12508"
    family = "localised"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Finds the weights on which the loss of the forget set depends most, and fine-tunes only those: "
        "the forget set towards random labels, everything else towards its own. "
        "It relies on the corruption sitting in few weights and on the forget set being all of it. "
        "Undiscovered corruption is rehearsed with the rest, and random labels are wrong ones too."
    )
    designed_for = Region(discovery=(0.9, 1.0))

    class Params(RelabelParams):
        localise: Localise = Field("salun", description="Change only the parameters that are critical by this paper's rule")

    presets = {
        "digits": {"learning_rate": 0.02, "batch_size": 64, "exclude_given": True},
        "points": {"learning_rate": 0.01, "batch_size": 64, "exclude_given": True},
    }
    search_space = {
        "learning_rate": [0.005, 0.01, 0.02, 0.05],
        "epochs": [3, 5, 10],
        "localise_share": [0.1, 0.3, 0.5, 1.0],
    }
