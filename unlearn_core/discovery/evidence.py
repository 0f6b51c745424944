"""Is the forget set set apart from the rest at all, or was it picked from clean data?

REM with clean examples as forget set damages their classes, and then every example of these classes is suspect: held-out
members of a clean forget set may rank high for nothing but their class. So they are compared with examples of the same given
label alone. What their labels say is asked first: a wrong label is doubted by models that were not given it as part of F, a
right one is not. Corruption that such models still believe (a trigger on photographs) has to stand out beyond any chance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from unlearn_core.discovery.roc_areas import p_value, per_example_auc

DOUBTS = ("healed_margin", "healed_loss", "healed_neighbours")
"""Scores that say how much the given label is doubted."""
INDEPENDENT = "learned_late"
"""Doubt by a training run without a forget set: no unlearning has damaged it."""
DOUBTED, BEYOND = 0.05, 1e-6
"""Highest chance of the held-out labels' doubt, and of the whole ranking, on data where all is clean."""


def set_apart(table: Mapping[str, np.ndarray], fused: np.ndarray, labels: np.ndarray, forget: np.ndarray) -> bool:
    """Whether held-out known corruption differs from examples of the same given label. All arrays are (N,)."""
    doubting = [table[name] for name in DOUBTS if name in table]
    doubts = ([np.mean(doubting, axis=0)] if doubting else []) + ([table[INDEPENDENT]] if INDEPENDENT in table else [])
    # One of them is enough, so each has its share of the chance.
    if any(within_label(values, labels, forget) <= DOUBTED / len(doubts) for values in doubts):
        return True
    return within_label(fused, labels, forget) <= BEYOND


def within_label(values: np.ndarray, labels: np.ndarray, forget: np.ndarray) -> float:
    """Chance of ranks as high as those of the known examples, each among the pool's examples of its own given label."""
    seen = np.isfinite(values)
    ranks, sizes = [], []
    for k in (forget & seen).nonzero()[0]:
        peers = values[~forget & seen & (labels == labels[k])]
        if len(peers):
            ranks.append(float(per_example_auc(values[k : k + 1, None], peers[:, None])[0, 0]))
            sizes.append(len(peers))
    return p_value(float(np.mean(ranks)), len(ranks), round(float(np.mean(sizes)))) if ranks else 1.0
