"""EU-k: re-initialise the last k layers and train them on the retain set (Goel et al. 2022, arXiv:2201.06640)."""

from __future__ import annotations

from torch import nn

from unlearn_core.methods import Region, UnlearningTask, register
from unlearn_core.methods.fine_tuning.last_layers import LastLayers


@register
class EuK(LastLayers):
    """min_g CE_R(g ∘ h), from a new random g; h = h₀ stays.

    Symbols: h are the layers before the last k, frozen in eval mode, g the last k = ``k`` layers (0: all), initialised with
    another seed than the original's; ``epochs`` passes over the retain set R with the recipe of training at
    ``learning_rate``.
    Given: R with its given labels; F is not used.
    Fails: Frozen features that already fit the corruption make the undiscovered part quicker to learn than it was.
    Source: Goel et al. 2022, arXiv:2201.06640 (exact unlearning of the last k layers).
    Values: Published for k of 2 and 4 on CIFAR-10 (arXiv:2402.14015: 1,000 steps of 512, which are 10 passes), each with
    the best pass on the test set; k = 2 and the last pass are taken here.
    """

    name, label, paper = "eu_k", "EU-k", "arXiv:2201.06640"
    family = "retraining"
    revision = 3  # giving up what was known by heart is not a fall
    needs_labels = False
    summary = (
        "Trains the last k layers again from a new random start on everything but the discovered corruption, "
        "with the layers before them frozen. "
        "It relies on the frozen features knowing nothing of the corruption, and the labels of the rest being right. "
        "What was not discovered is learned again, more easily than from scratch where the features already fit it."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    presets = {"digits": {"learning_rate": 0.05}, "points": {"learning_rate": 0.01}}
    search_space = {"k": [1, 2, 3], "learning_rate": [0.02, 0.05, 0.1], "epochs": [5, 10, 20]}

    def prepare(self, model: nn.Module, task: UnlearningTask, suffix: list[str]) -> None:
        fresh = task.fresh_model(task.seed + 1)
        for name in suffix:
            model.get_submodule(name).load_state_dict(fresh.get_submodule(name).state_dict())
