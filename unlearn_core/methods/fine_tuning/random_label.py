"""Random labels for the forget set, on the whole network (amnesiac unlearning, Graves et al. 2021, arXiv:2010.10981)."""

from __future__ import annotations

from unlearn_core.methods import Region, register
from unlearn_core.methods.shared.relabelling import Relabel


@register
class RandomLabel(Relabel):
    """min_θ CE(f_θ(x_F), ỹ) then CE_R(θ), ỹ ~ uniform over the classes, in every epoch.

    Symbols: ỹ is drawn anew at every batch, with ``exclude_given`` never the given label; an epoch goes over F, then over
    the retain set R, in batches of ``batch_size`` at ``learning_rate``. With ``localise`` only the critical
    ``localise_share`` of the parameters may change.
    Given: R with its given labels; of F the inputs (its labels to exclude or localise them).
    Fails: A uniform answer is wrong too: it costs accuracy around F, and R rehearses the undiscovered corruption.
    Source: Graves et al. 2021, arXiv:2010.10981 (amnesiac unlearning), in the form of arXiv:2310.12508.
    Values: Random relabelling as SalUn's program (arXiv:2310.12508) runs it without its mask, with the values of its
    example. Graves et al. draw one label for each example, never its own, and train with Adam at 1e-4 for three passes in
    batches of 128: a rate of Adam says nothing about one of SGD.
    """

    name, label, paper = "random_label", "Random labels", "arXiv:2010.10981"
    family = "fine-tuning"
    revision = 3  # giving up what was known by heart is not a fall
    summary = (
        "Teaches the forget set labels that are drawn anew at every batch, and everything else its own labels. "
        "It relies on the network falling back to what the example looks like once no label holds. "
        "Undiscovered corruption is rehearsed all the while, and the noise costs accuracy around the forget set."
    )
    designed_for = Region(discovery=(0.9, 1.0))
    presets = {
        "digits": {"learning_rate": 0.02, "batch_size": 64, "exclude_given": True},
        "points": {"learning_rate": 0.01, "batch_size": 64, "exclude_given": True},
    }
    search_space = {
        "learning_rate": [0.005, 0.01, 0.02, 0.05],
        "epochs": [3, 5, 10],
        "batch_size": [64, 128, 256],
    }
