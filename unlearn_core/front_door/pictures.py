"""The pictures of the page Compare by name, each of stored results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from unlearn_core.errors import UserError
from unlearn_core.specs import MethodSpec, Scenario

if TYPE_CHECKING:
    from unlearn_core.store import Store
    from unlearn_core.views.picture import Picture


@dataclass(frozen=True)
class Shown:
    """What a picture is drawn of: a frame of metrics, a row a model, and where the rest is read."""

    store: Store
    scenario: Scenario
    specs: Sequence[MethodSpec]
    frame: pd.DataFrame
    metric: str


def draw(name: str, store: Store, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame, metric: str) -> Picture:
    """The picture called ``name``; raises :class:`UserError` with those there are, or where there is nothing to draw."""
    if name not in PICTURES:
        raise UserError(f"There is no picture called {name!r}; there are: {', '.join(PICTURES)}.")
    return PICTURES[name](Shown(store, scenario, specs, frame, metric))


def _healed_utility(shown: Shown) -> Picture:
    from unlearn_core.views.compare.figure import healed_utility

    if shown.frame["healed"].isna().all():
        raise UserError("How much is healed is unknown here: it is not known which labels are wrong.")
    return healed_utility(shown.frame)


def _trajectories(shown: Shown) -> Picture:
    from unlearn_core.evaluation import registry
    from unlearn_core.methods import registry as methods
    from unlearn_core.results import tables
    from unlearn_core.results.memorised import nothing_to_heal, share_in
    from unlearn_core.views.compare.figure import trajectories
    from unlearn_core.views.compare.time_axis import normalise_time

    metric = registry.get(shown.metric)
    rounds = tables.trajectories(shown.store, shown.scenario, shown.specs)
    if not rounds.get(metric.name, pd.Series(dtype=float)).notna().any():
        told = [name for name in registry.names() if name in rounds and rounds[name].notna().any()]
        raise UserError(f"No method recorded {metric.name!r} over its rounds; recorded are: {', '.join(told) or 'none'}.")
    start = shown.frame[shown.frame["method"] == tables.ORIGINAL]
    chosen = {spec.name: methods.get(spec.name) for spec in shown.specs}
    begins = {
        name: len(start) > 0 and method.family != "retraining" and not method.needs_own_original
        for name, method in chosen.items()
    }
    paced = normalise_time(rounds, start.iloc[0].to_dict() if len(start) else {}, begins)
    paced = paced.assign(oracle=[chosen[str(name)].oracle for name in paced["method"]])
    healing = not nothing_to_heal(share_in(shown.frame))
    return trajectories(paced, metric.name, metric.label, metric.formula, metric.unit == "share", healing=healing)


def _cost(shown: Shown) -> Picture:
    from unlearn_core.views.compare.figure import cost

    return cost(shown.frame)


def _difference(shown: Shown) -> Picture:
    from unlearn_core.evaluation import registry
    from unlearn_core.front_door.answer import SHOWN
    from unlearn_core.views.compare.difference_figure import difference

    compared = difference(shown.frame, {name: registry.get(name) for name in SHOWN if registry.get(name).unit == "share"})
    if compared is None:
        raise UserError("There is no difference to draw without retraining: run the method 'retrain' too.")
    return compared


def _classes(shown: Shown) -> Picture:
    from unlearn_core.results.memorised import nothing_to_heal, share_in
    from unlearn_core.views.compare.classes import by_class
    from unlearn_core.views.compare.classes_figure import classes

    if shown.metric not in ("healed", "utility"):
        raise UserError(f"Class by class there are healed and utility (got {shown.metric!r}).")
    shares = by_class(shown.store, shown.scenario, shown.specs)
    if shares.empty or shares[shown.metric].isna().all():
        raise UserError(f"There is nothing to draw class by class of {shown.metric}.")
    return classes(shares, shown.metric, not nothing_to_heal(share_in(shown.frame)))


PICTURES: dict[str, Callable[[Shown], Picture]] = {
    "healed_utility": _healed_utility,
    "trajectories": _trajectories,
    "cost": _cost,
    "difference": _difference,
    "classes": _classes,
}
