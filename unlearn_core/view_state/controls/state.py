"""The state of a view: one typed field for each control, so that a misspelt name is an error before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from unlearn_core.specs import Scalar
from unlearn_core.view_state.controls.boundary import BoundaryState
from unlearn_core.view_state.controls.compare import CompareState
from unlearn_core.view_state.controls.embedding import EmbeddingState
from unlearn_core.view_state.controls.forget_set import ForgetSetState
from unlearn_core.view_state.controls.heatmap import HeatmapState
from unlearn_core.view_state.controls.own import OwnState
from unlearn_core.view_state.controls.redirect import RedirectState
from unlearn_core.view_state.controls.scenario import ScenarioState
from unlearn_core.view_state.controls.teaching import TeachingState

FILLED: Final = ("indices", "relabelled", "trusted", "listed")
"""What a forget set's key stands for in a state: filled in from the store, and in no link."""


class State(
    ScenarioState, CompareState, RedirectState, EmbeddingState, HeatmapState, BoundaryState, ForgetSetState, OwnState,
    TeachingState, total=False,
):  # fmt: skip
    """What a view shows, as plain values by the names of the controls.

    A page's state has a value for every control. The type is not total because changes to a state have it too:
    ``state | {"shading": "hard"}``.

    ``overrides``: parameters of the dataset, network, recipe and methods, such as ``{"rem.epochs": 5}``; ``indices``,
    ``relabelled``, ``trusted`` and ``listed``: see :data:`FILLED`.
    """

    overrides: dict[str, Scalar]
    indices: tuple[int, ...]
    relabelled: Mapping[int, str]
    trusted: tuple[int, ...]
    listed: str


def by_name(state: State) -> dict[str, Any]:
    """The same state (no copy) under names that only running code knows, such as those of a list of controls."""
    return cast(dict[str, Any], state)


def with_changes(state: State, changes: Mapping[str, Any]) -> State:
    """A copy with other values for controls whose names only running code knows."""
    return cast(State, {**state, **changes})
