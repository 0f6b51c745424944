"""CUTS: corrective unlearning in task space (arXiv:2511.18660)."""

from __future__ import annotations

from unlearn_core.methods import Region, register
from unlearn_core.methods.fine_tuning.task_arithmetic import ByFit


@register
class Cuts(ByFit):
    """θ = θ₀ − α·τ, τ = mean_s θ_s − θ₀, θ_s = argmin_θ CE_F(θ) from θ₀; α the smallest with acc(θ, F) ≤ φ.

    Symbols: s counts ``runs`` fine-tuned copies, ``epochs`` passes over F in batches of ``batch_size`` at ``rate`` times the
    rate of training; φ is ``fit``. Parameters of normalisation layers do not move.
    Given: The original and F with its given labels. The retain set is not read.
    Fails: A few images, repeated, also move what has nothing to do with their labels, and the way back takes that along.
    Source: arXiv:2511.18660.
    Values: Published for pretrained networks: AdamW at 1e-4 for 60 passes over examples that are all corrupted. Here the
    training's own optimiser at a tenth of its rate. Its rule for label noise, by the agreement of neighbours among images
    without labels, is that of ``cuts_neighbours``: here α goes by F in any case, in doubled steps and then halved ones, because
    small networks need strengths above the published grid's.
    """

    name, label, paper = "cuts", "CUTS", "arXiv:2511.18660"
    agree = False
    summary = (
        "Lets copies of the model learn the discovered corruption even better, and moves the model the opposite way, until it "
        "no longer says what the forget set was given. "
        "It relies on this direction being that of the corruption alone. "
        "It reads nothing but the forget set, and pays for it in accuracy."
    )
    designed_for = Region()
    presets = {"digits": {"fit": 0.1}, "points": {"fit": 0.1}}
    published = {"": {"epochs": 60}}
    search_space = {"rate": [0.02, 0.1, 0.5], "epochs": [5, 20, 60], "fit": [0.02, 0.1, 0.3]}
