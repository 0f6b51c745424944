"""What the boundary page reads: the plane, the examples on it, and every stored model's regions, kept between reruns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.session.services import store
from unlearn_core import view_state as vs
from unlearn_core.views.boundary.figure import Panel
from unlearn_core.views.picture import short_labels
from unlearn_core.views.text.sentences import share_healed

if TYPE_CHECKING:
    import pandas as pd

    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.stages.stage import Stage
    from unlearn_core.views.boundary.anchors import Asked
    from unlearn_core.views.boundary.data import DecisionMap, Frames
    from unlearn_core.views.boundary.plane import InputPlane

ORIGINAL = "original"


def chosen(state: vs.State) -> tuple[list[str], list[str]]:
    """The models to be shown, "original" among them, and those that cannot run without a forget set."""
    wanted = list(state["views"][: vs.MAX_VIEWS])
    if not wanted:
        rivals = [name for name in state["methods"] if name not in catalog.REFERENCES]
        wanted = list(dict.fromkeys([ORIGINAL, *rivals[:1], *rivals[-1:], catalog.REFERENCES[-1]]))
    blocked = catalog.blocked_by(state, [name for name in wanted if name != ORIGINAL])
    return [name for name in wanted if name not in blocked] or [ORIGINAL], blocked


def label(name: str) -> str:
    """A model's name, the original's too."""
    return "Original" if name == ORIGINAL else catalog.method_label(name)


def asked(state: vs.State) -> Asked:
    """The three images that the state names."""
    first, second, third = (state[name] for name in vs.ANCHORS)
    return first, second, third


def plane(scenario: Scenario, wanted: Asked) -> tuple[InputPlane, pd.DataFrame]:
    """The plane and the examples on it. Raises ``UserError`` where there is no such plane, LookupError where a worker has to
    find it first (:func:`unfinished` says with which stages)."""
    from unlearn_core.views.boundary.stored import computed_elsewhere

    if computed_elsewhere(scenario):
        return _stored_plane(store().location, scenario.model_dump_json(), wanted)
    return _plane(scenario.model_dump_json(), wanted)


@st.cache_resource(max_entries=16, show_spinner=False)
def _stored_plane(location: str, scenario: str, wanted: Asked) -> tuple[InputPlane, pd.DataFrame]:
    from unlearn_core.specs import Scenario
    from unlearn_core.views.boundary.stored import stored_plane

    found = stored_plane(store(), Scenario.model_validate_json(scenario), wanted)
    if found is None:
        raise LookupError("the plane is not stored")
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def _plane(scenario: str, wanted: Asked) -> tuple[InputPlane, pd.DataFrame]:
    from unlearn_core.specs import Scenario
    from unlearn_core.views.boundary.plane import plane_of, points_of

    one = Scenario.model_validate_json(scenario)
    made = plane_of(one, wanted)
    return made, points_of(one, made)


def class_names(scenario: Scenario) -> tuple[str, ...]:
    """The names of the classes, in order."""
    from unlearn_core.results.reader import scenario_data

    return tuple(scenario_data(scenario).corrupted.train.class_names)


def unfinished(scenario: Scenario, specs: Sequence[MethodSpec | None], wanted: Asked) -> list[Stage]:
    """The stages of a worker that have to be computed before :func:`plane` and :func:`results` have something to give."""
    from unlearn_core.views.boundary.stage import plan_decision_maps, plan_plane
    from unlearn_core.views.boundary.stored import computed_elsewhere

    if not computed_elsewhere(scenario):
        return []
    try:
        where = plane(scenario, wanted)[0]
    except LookupError:
        return [plan_plane(scenario, wanted)]
    stages = plan_decision_maps(scenario, specs, wanted, where)
    stored = store().has(stage.key for stage in stages)
    return [stage for stage in stages if stage.key not in stored]


def frame_stages(scenario: Scenario, shown: Sequence[MethodSpec | None], wanted: Asked) -> list[Stage]:
    """The stages behind :func:`rounds`."""
    from unlearn_core.views.boundary.data import FRAME_RESOLUTION
    from unlearn_core.views.boundary.stage import plan_decision_maps, plan_frames
    from unlearn_core.views.boundary.stored import computed_elsewhere

    where = plane(scenario, wanted)[0]
    stages = plan_frames(scenario, [spec for spec in shown if spec is not None], wanted, where)
    if None in shown and computed_elsewhere(scenario):
        stages += plan_decision_maps(scenario, [None], wanted, where, FRAME_RESOLUTION)
    return stages


def results(scenario: Scenario, specs: Sequence[MethodSpec | None], wanted: Asked) -> list[Panel]:
    """The finished models (None: the original). Raises LookupError for what is not stored."""
    from unlearn_core.views.boundary.data import memorised

    panels, taken = [], memorised(store(), scenario)
    for spec, title in zip(specs, titles(specs), strict=True):
        found, share = _field(*_arguments(scenario, spec), wanted)
        panels.append(
            Panel(title, found.winners[None], found.confidence[None], ["" if share is None else share_healed(share, taken)])
        )
    return panels


def rounds(scenario: Scenario, specs: Sequence[MethodSpec | None], wanted: Asked) -> list[Panel] | None:
    """The models over their rounds, or None where the frames of one of them are not stored yet."""
    panels = []
    for spec, title in zip(specs, titles(specs), strict=True):
        arguments = _arguments(scenario, spec)
        found = _frames(*arguments, wanted)
        if found is None:
            _frames.clear(*arguments, wanted)  # not there yet: asked again next time
            return None
        notes = ["" if spec is None else "still the original"]
        notes += [f"round {number} of {found.rounds[-1]}" for number in found.rounds[1:]]
        panels.append(Panel(title, found.winners, found.confidence, notes))
    return panels


def titles(specs: Sequence[MethodSpec | None]) -> list[str]:
    """Short labels, no two alike."""
    return short_labels([label(ORIGINAL if spec is None else spec.name) for spec in specs])


def _arguments(scenario: Scenario, spec: MethodSpec | None) -> tuple[str, str, str]:
    return store().location, scenario.model_dump_json(), "" if spec is None else spec.model_dump_json()


@st.cache_resource(max_entries=48, show_spinner=False)
def _field(location: str, scenario: str, spec: str, wanted: Asked) -> tuple[DecisionMap, float | None]:
    from unlearn_core.views.boundary.data import healed, map_decisions
    from unlearn_core.views.boundary.stored import computed_elsewhere, stored_decision_map

    one, method = _parsed(scenario, spec)
    if computed_elsewhere(one):
        found = stored_decision_map(store(), one, method, plane(one, wanted)[0])
        if found is None:
            raise LookupError("the boundary is not stored")
        return found
    return map_decisions(store(), one, method, plane(one, wanted)[0]), healed(store(), one, method)


@st.cache_resource(max_entries=24, show_spinner=False)
def _frames(location: str, scenario: str, spec: str, wanted: Asked) -> Frames | None:
    from unlearn_core.views.boundary.data import FRAME_RESOLUTION, Frames, map_decisions, stored_frames
    from unlearn_core.views.boundary.stored import computed_elsewhere, stored_decision_map

    one, method = _parsed(scenario, spec)
    where = plane(one, wanted)[0]
    if method is not None:
        return stored_frames(store(), one, method, where)
    if computed_elsewhere(one):
        kept = stored_decision_map(store(), one, None, where, FRAME_RESOLUTION)
        return None if kept is None else Frames((0,), kept[0].winners[None], kept[0].confidence[None])
    found = map_decisions(store(), one, None, where, FRAME_RESOLUTION)
    return Frames((0,), found.winners[None], found.confidence[None])


def _parsed(scenario: str, spec: str) -> tuple[Scenario, MethodSpec | None]:
    from unlearn_core.specs import MethodSpec, Scenario

    return Scenario.model_validate_json(scenario), MethodSpec.model_validate_json(spec) if spec else None
