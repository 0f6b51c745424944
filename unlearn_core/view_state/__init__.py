"""What a view shows, as plain values: controls, links, specs, and commands that compute the same."""

from unlearn_core.view_state.commands import as_cli, as_python, as_yaml
from unlearn_core.view_state.controls import (
    BY_CLASS,
    BY_NAME,
    CONTROLS,
    CORNERS,
    DEMO_METHODS,
    HEADLINES,
    INSIDE,
    MAX_METHODS,
    MIN_METHODS,
    PACES,
    PANELS,
    Control,
    State,
    default_state,
)
from unlearn_core.view_state.fields import ParamField
from unlearn_core.view_state.links import MAX_QUERY, decode, encode
from unlearn_core.view_state.settle import class_names, fitting_models, has_images, largest_amount, preview_limit, settle
from unlearn_core.view_state.specs import resolved, section_fields, to_methods, to_scenario

__all__ = [
    "BY_CLASS",
    "BY_NAME",
    "CONTROLS",
    "CORNERS",
    "DEMO_METHODS",
    "HEADLINES",
    "INSIDE",
    "MAX_METHODS",
    "MAX_QUERY",
    "MIN_METHODS",
    "PACES",
    "PANELS",
    "Control",
    "ParamField",
    "State",
    "as_cli",
    "as_python",
    "as_yaml",
    "class_names",
    "decode",
    "default_state",
    "encode",
    "fitting_models",
    "has_images",
    "largest_amount",
    "preview_limit",
    "resolved",
    "section_fields",
    "settle",
    "to_methods",
    "to_scenario",
]
