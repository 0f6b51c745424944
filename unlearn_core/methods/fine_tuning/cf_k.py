"""CF-k: fine-tune the last k layers on the retain set (Goel et al. 2022, arXiv:2201.06640)."""

from __future__ import annotations

from unlearn_core.methods import Region, register
from unlearn_core.methods.fine_tuning.last_layers import LastLayers


@register
class CfK(LastLayers):
    """min_g CE_R(g ∘ h), from the original's g₀; h = h₀ stays.

    Symbols: h are the layers before the last k, frozen in eval mode, g the last k = ``k`` layers (0: all); ``epochs``
    passes over the retain set R with the recipe of training at ``learning_rate``.
    Given: R with its given labels; F is not used.
    Fails: What the frozen features have learned of the corruption stays, and R rehearses the undiscovered part of it.
    Source: Goel et al. 2022, arXiv:2201.06640.
    Values: Published for k of 2 and 4 on CIFAR-10 (arXiv:2402.14015: 1,000 steps of 512, which are 10 passes), each with
    the best pass on the test set; k = 2 and the last pass are taken here. Its layers are counted as there: a convolution
    with its norm is one.
    """

    name, label, paper = "cf_k", "CF-k", "arXiv:2201.06640"
    family = "fine-tuning"
    revision = 3  # giving up what was known by heart is not a fall
    needs_labels = False
    summary = (
        "Continues training the last k layers on everything but the discovered corruption, with the layers before them frozen. "
        "It relies on catastrophic forgetting, and on the corruption living near the output. "
        "The frozen features still carry it, and the undiscovered part is rehearsed."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    presets = {"digits": {"learning_rate": 0.05}, "points": {"learning_rate": 0.005}}
    search_space = {"k": [1, 2, 3], "learning_rate": [0.02, 0.05, 0.1], "epochs": [5, 10, 20]}
