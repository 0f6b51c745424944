"""Where a group of examples went: which of them are drawn, how far they moved, and which of them arrived."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unlearn_core.results.reader import GROUPS
from unlearn_core.views.embedding.data import LISTED, Embedding, subsample
from unlearn_core.views.embedding.examples import Examples

MAX_ARROWS = 400
"""At most so many examples of a group are drawn; a stated subsample where it has more."""
AT_HOME = LISTED // 2 + 1
"""So many of the :data:`.data.LISTED` nearest neighbours make an example one of a class: more than half."""


def at_home(shown: Examples, found: Embedding, models: Sequence[str]) -> np.ndarray | None:
    """Which drawn examples lie among clean ones of their right class, bool (m, n); None where the truth is unknown.

    Counted in each model's own features and not in the picture, which pulls small movements in: at least :data:`AT_HOME` of
    the nearest neighbours that an embedding keeps are clean examples whose class is this example's clean label. Other corrupted
    examples do not count, because those of one class that share a trigger lie side by side in the original too.
    """
    if not shown.truth_known:
        return None
    clean, kept = shown.groups == GROUPS.index("clean"), shown.clean[found.points][:, None]
    near = found.neighbours[[found.models.index(name) for name in models]]
    return np.asarray((clean[near] & (shown.clean[near] == kept)).sum(2) >= AT_HOME)


def drawn(group: np.ndarray, found: Embedding) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the embedding that belong to ``group``, bool (N,): all of them, and those of which arrows are drawn."""
    rows = np.flatnonzero(group[found.points])
    return rows, rows[subsample(len(rows), MAX_ARROWS)]


def movements(places: np.ndarray) -> np.ndarray:
    """How far each example moves from the first panel to each of the others, float (m − 1, n), in widths of the picture."""
    return np.asarray(np.linalg.norm(places[1:] - places[0], axis=2) / max(float(np.ptp(places[..., 0])), 1e-12))
