"""Loss-free selective synaptic dampening (Foster et al. 2024, arXiv:2402.19308)."""

from __future__ import annotations

from unlearn_core.methods import Region, register
from unlearn_core.methods.dampening.ssd import ThresholdDampen


@register
class LfSsd(ThresholdDampen):
    """θᵢ ← θᵢ·min(1, λ·I_D,ᵢ / I_F,ᵢ) where I_F,ᵢ > α·I_D,ᵢ,  I_S,ᵢ = mean over batches of |∂/∂θᵢ mean ‖f(x)‖₂²|.

    Symbols: f(x) are the logits; α is ``threshold``, λ is ``strength``, D is what ``reference`` says, batches have
    ``batch_size`` examples at most (every example for itself with ``per_sample``).
    Given: The inputs of F and D, no labels.
    Fails: A wrong label on an ordinary-looking input leaves no trace in the size of the outputs, and α has to be chosen as
    in SSD.
    Source: Foster et al. 2024, arXiv:2402.19308.
    Values: α and λ are SSD's (arXiv:2308.07707): those of the label-free variant were not at hand. They do not carry over,
    as with SSD.
    """

    name, label, paper = "lfssd", "LF-SSD", "arXiv:2402.19308"
    revision = 2  # statistics measured on the retain set
    needs_labels = False
    summary = (
        "Dampens weights like SSD, but measures their importance by how strongly they move the size of the outputs, "
        "without any label. It relies on outputs for the corruption coming from weights that the other outputs hardly "
        "use. Wrong labels on ordinary-looking examples leave no such trace, and a bad threshold breaks the model."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    score, squared = "squared_norm", False
    # Ratios of absolute gradients spread far less than those of squared ones: the square root of SSD's threshold.
    presets = {"digits": {"threshold": 4.0}, "points": {"threshold": 4.0}}
    search_space = {
        "threshold": [2.0, 3.0, 4.0, 6.0, 10.0],
        "strength": [0.1, 0.5, 1.0],
        "per_sample": [False, True],
    }
