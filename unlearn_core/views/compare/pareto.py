"""Which methods no other beats: the Pareto front of healed and utility."""

from __future__ import annotations

import pandas as pd

from unlearn_core.results.harm import costs_utility
from unlearn_core.results.memorised import nothing_to_heal, share_in


def pareto_front(frame: pd.DataFrame, x: str = "utility", y: str = "healed") -> pd.DataFrame:
    """The methods that no other method equals or beats in both ``x`` and ``y`` and beats in one (higher is better).

    ``frame``: columns method, oracle, ``x`` and ``y``. Neither the original nor oracles compete: the one is no method, the
    others know the ground truth. Nor does a run that cost utility (``results.harm``). Rows come sorted by rising ``x``;
    methods at the same place are all on the front. There is no front where the original took nothing up that could be healed.
    """
    competes = (frame["method"] != "original") & ~frame["oracle"].astype(bool) & ~costs_utility(frame)
    rivals = frame[competes].dropna(subset=[x, y])
    if nothing_to_heal(share_in(frame)):
        return rivals.iloc[:0]
    kept = [
        index
        for index, row in rivals.iterrows()
        if not ((rivals[x] >= row[x]) & (rivals[y] >= row[y]) & ((rivals[x] > row[x]) | (rivals[y] > row[y]))).any()
    ]
    return rivals.loc[kept].sort_values([x, y], kind="stable")
