"""The course of methods on one time axis: rounds, or the share of each method's own work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def normalise_time(rounds: pd.DataFrame, start: Mapping[Any, Any], from_original: Mapping[str, bool]) -> pd.DataFrame:
    """``rounds`` (from ``tables.trajectories``) with a column work: the share of the method's own rounds, 0 to 1.

    Methods that start from the original get a round 0 with its metrics, ``start``; ``from_original``: method → whether it
    does. Those that train anew have no value there, and start with their first round.
    """
    if rounds.empty:
        return rounds.assign(work=pd.Series(dtype=float))
    measured = [name for name in rounds.columns if name not in ("method", "label", "round")]
    values = {name: start.get(name) for name in measured}
    pieces = []
    for method, part in rounds.groupby("method", sort=False):
        if from_original.get(str(method)):
            first = {"method": method, "label": part["label"].iloc[0], "round": 0} | values
            part = pd.concat([pd.DataFrame([first]).astype(dict.fromkeys(measured, float)), part], ignore_index=True)
        pieces.append(part.assign(work=part["round"] / part["round"].max()))
    return pd.concat(pieces, ignore_index=True)
