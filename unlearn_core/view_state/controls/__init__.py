"""Everything a view depends on, as one typed list of controls: it drives widgets, defaults, links and copied commands.

A state (:class:`.state.State`) maps each control's name to a value. ``None`` means "what the dataset's preset says", so that a
link stays short and a change of dataset brings its own defaults.
"""

from __future__ import annotations

from typing import Final

from unlearn_core.view_state.controls.boundary import (
    ANCHORS,
    BOUNDARY,
    BOUNDARY_MODES,
    EXAMPLE_GROUPS,
    MAX_VIEWS,
    SHADINGS,
    SPLITS,
    Anchor,
)
from unlearn_core.view_state.controls.choices import CORRUPTIONS, PATCH
from unlearn_core.view_state.controls.compare import (
    BY_CLASS,
    COMPARE,
    DEMO_METHODS,
    HEADLINES,
    MAX_METHODS,
    MIN_METHODS,
    TIME_AXES,
    UNKNOWN_HEADLINES,
    VALUE_SETS,
)
from unlearn_core.view_state.controls.control import Control
from unlearn_core.view_state.controls.embedding import (
    COLOURS,
    EMBEDDING,
    HIGHLIGHTS,
    MAX_EMBEDDED,
    MAX_MARKED,
    PROJECTIONS,
)
from unlearn_core.view_state.controls.forget_set import FORGET_SET, SEARCHES, SHOW_TRUTH
from unlearn_core.view_state.controls.heatmap import GRID_ORDERS, GRID_ROWS, GRID_SCALES, GRID_TASKS, HEATMAP
from unlearn_core.view_state.controls.layouts import LAYOUTS, Layout
from unlearn_core.view_state.controls.own import OWN
from unlearn_core.view_state.controls.redirect import INSPECTED_METHOD, REDIRECT
from unlearn_core.view_state.controls.scenario import CORNERS, PATCH_CONTROLS, RECIPES, SCENARIO
from unlearn_core.view_state.controls.state import FILLED, State, by_name, with_changes
from unlearn_core.view_state.controls.teaching import PANELS, teaching

__all__ = [
    "ANCHORS",
    "BOUNDARY_MODES",
    "BY_CLASS",
    "BY_NAME",
    "BY_QUERY",
    "COLOURS",
    "CONTROLS",
    "CORNERS",
    "CORRUPTIONS",
    "DEMO_METHODS",
    "EXAMPLE_GROUPS",
    "FILLED",
    "GRID_ORDERS",
    "GRID_ROWS",
    "GRID_SCALES",
    "GRID_TASKS",
    "HEADLINES",
    "HIGHLIGHTS",
    "INSPECTED_METHOD",
    "LAYOUTS",
    "MAX_EMBEDDED",
    "MAX_MARKED",
    "MAX_METHODS",
    "MAX_VIEWS",
    "MIN_METHODS",
    "PANELS",
    "PATCH",
    "PATCH_CONTROLS",
    "PROJECTIONS",
    "RECIPES",
    "SEARCHES",
    "SECTIONS",
    "SHADINGS",
    "SHOW_TRUTH",
    "SPLITS",
    "TIME_AXES",
    "UNKNOWN_HEADLINES",
    "VALUE_SETS",
    "Anchor",
    "Control",
    "Layout",
    "State",
    "by_name",
    "default_state",
    "hideable",
    "hideable_by_page",
    "hideable_label",
    "lockable",
    "with_changes",
]

SECTIONS: Final = ("dataset", "corruption", "trigger", "model", "training", "person")
"""Sections of a scenario with generated parameters; every other prefix of an override is a method's name."""

_ALWAYS: Final = ("cell", "forget", "tab", "details", "marked")  # they hold what was chosen elsewhere, or by looking on
_BY_PAGE: Final[dict[str, tuple[Control, ...]]] = {
    "start": (),
    "craft": SCENARIO,
    "compare": COMPARE,
    "redirect": REDIRECT,
    "embedding": EMBEDDING,
    "heatmap": HEATMAP,
    "boundary": BOUNDARY,
    "forget": FORGET_SET,
    "own": OWN,
}
_PAGES: Final = tuple(control for page in _BY_PAGE.values() for control in page)
_HIDEABLE: Final = tuple(control.name for control in _PAGES if control.name not in _ALWAYS)
_PANELS: Final = {name: words for panels in PANELS.values() for name, words in panels.items()}

CONTROLS: Final[tuple[Control, ...]] = (*_PAGES, *teaching((*_HIDEABLE, *_PANELS), (*_HIDEABLE, "parameters")))
BY_NAME: Final = {control.name: control for control in CONTROLS}
BY_QUERY: Final = {control.query_name: control for control in CONTROLS}


def default_state() -> State:
    """Every control at its default."""
    return with_changes({}, {control.name: control.default for control in CONTROLS} | {"overrides": {}})


def hideable() -> tuple[str, ...]:
    """Everything that a teacher's link can leave out: controls and panels."""
    return (*_HIDEABLE, *_PANELS)


def hideable_by_page() -> dict[str, tuple[str, ...]]:
    """By page, as its address names it: its controls and panels. What all pages share stands with the first that has it."""
    own = {page: [control.name for control in controls if control.name in _HIDEABLE] for page, controls in _BY_PAGE.items()}
    return {page: (*names, *PANELS[page]) for page, names in own.items()}


def lockable() -> tuple[str, ...]:
    """Everything that a teacher's link can show without letting you change it."""
    return (*_HIDEABLE, "parameters")


def hideable_label(name: str) -> str:
    """A control or panel in the words on the screen."""
    return BY_NAME[name].label if name in BY_NAME else _PANELS[name]
