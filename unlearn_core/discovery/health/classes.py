"""Classes of very unequal size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unlearn_core.discovery.health.findings import Finding

UNBALANCED = 10.0
"""The largest class may have this many times the images of a smaller one before it is said."""


def find_imbalance(labels: np.ndarray, names: Sequence[str]) -> Finding | None:
    """The images of classes that are far smaller than the largest; ``labels`` int64 (N,) as given. None without any."""
    counts = np.bincount(labels, minlength=len(names))
    most = int(counts.max())
    small = ((counts > 0) & (counts * UNBALANCED <= most)).nonzero()[0]
    if not len(small):
        return None
    small = small[np.argsort(counts[small], kind="stable")]
    rank = np.full(len(names), len(names))
    rank[small] = np.arange(len(small))
    members = np.isin(labels, small).nonzero()[0]
    members = members[np.argsort(rank[labels[members]], kind="stable")]
    shown = ", ".join(f"“{names[k][:60]}” {counts[k]:,}" for k in small[:3]) + (", …" if len(small) > 3 else "")
    sentence = (
        f"“{names[int(counts.argmax())][:60]}” has {most:,} training images, {shown}: accuracy says little of the small ones."
    )
    rule = f"{UNBALANCED:g} times fewer images than the largest class, of our own"
    values = counts[labels[members]].astype(float)
    return Finding("imbalance", "data set", "Unequal classes", sentence, rule, members, values, "images of its class")
