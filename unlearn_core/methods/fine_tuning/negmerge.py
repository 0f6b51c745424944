"""NegMerge: of several directions towards the corruption only what they agree on (arXiv:2410.05583)."""

from __future__ import annotations

from unlearn_core.methods import Region, register
from unlearn_core.methods.fine_tuning.task_arithmetic import ByFit


@register
class NegMerge(ByFit):
    """θ = θ₀ − α·τ; τ_j = mean_s (θ_s − θ₀)_j where all signs are the same, else 0; α the smallest with acc(θ, F) ≤ φ.

    Symbols: θ_s = argmin_θ CE_F(θ) from θ₀, s counts ``runs`` copies, ``epochs`` passes over F in batches of ``batch_size`` at
    ``rate`` times the rate of training, half as high for the first and twice as high for the last, each over a random half of
    F; φ is ``fit``.
    Given: The original and F with its given labels. The retain set is not read.
    Fails: Where copies drift alike, because all repeat the same few images, they agree on the drift as well.
    Source: arXiv:2410.05583.
    Values: As those of CUTS. Published for pretrained networks, whose copies differ in the settings of their training.
    """

    name, label, paper = "negmerge", "NegMerge", "arXiv:2410.05583"
    agree = True
    summary = (
        "Lets several copies of the model learn the discovered corruption even better, keeps the part of their directions on "
        "which all agree, and moves the model the opposite way. "
        "It relies on copies agreeing about the corruption and about nothing else. "
        "It reads nothing but the forget set, and pays for it in accuracy."
    )
    designed_for = Region()
    presets = {"digits": {"fit": 0.1}, "points": {"fit": 0.1}}
    published = {"": {"epochs": 60}}
    search_space = {"rate": [0.02, 0.1, 0.5], "epochs": [5, 20, 60], "fit": [0.02, 0.1, 0.3]}
