"""Controls of the embedding."""

from __future__ import annotations

from typing import Final, TypedDict

from unlearn_core.view_state.controls.choices import method_names
from unlearn_core.view_state.controls.control import Control, fixed

PROJECTIONS: Final = ("umap", "pca")
COLOURS: Final = ("group", "class", "given", "prediction", "loss", "suspicion")
HIGHLIGHTS: Final = ("all", "healed", "still wrong", "broken", "missed", "discovered", "undiscovered")
DETAILS: Final = ("thumbnails", "example_table", "example_histograms", "inspector")
WENT: Final = ("off", "on")
MAX_EMBEDDED: Final = 2
MAX_MARKED: Final = 600
"""Characters of the marked examples as text (:mod:`unlearn_core.view_state.marked`)."""


class EmbeddingState(TypedDict, total=False):
    """What the embedding shows."""

    embedded: tuple[str, ...]
    projection: str
    colour: str
    highlight: str
    judged: str
    went: str
    details: str
    marked: str


EMBEDDING: Final[tuple[Control, ...]] = (
    Control(
        "embedded",
        "Models beside the original",
        "Up to two methods, drawn in one plane with the original.",
        "choices",
        ("retrain", "rem"),
        high=MAX_EMBEDDED,
        choices=method_names,
        scenario=False,
    ),
    Control(
        "projection",
        "Projection",
        "UMAP keeps neighbours together; PCA shows the two directions in which the features vary most.",
        "choice",
        "umap",
        choices=fixed(PROJECTIONS),
        scenario=False,
    ),
    Control(
        "colour",
        "Colour",
        "What the colour of a point means; its shape is always its group.",
        "choice",
        "group",
        choices=fixed(COLOURS),
        url="colour_by",
        scenario=False,
    ),
    Control(
        "highlight",
        "Highlight",
        "Examples that unlearning changed, or should have, and the two parts of the corrupted set; all others fade.",
        "choice",
        "all",
        choices=fixed(HIGHLIGHTS),
        scenario=False,
    ),
    Control(
        "judged",
        "Highlights of",
        "Whose effect the highlights, the table and the histograms show; the last of the chosen methods, if nothing is set.",
        "choice",
        "",
        choices=lambda: ("", *method_names()),
        scenario=False,
    ),
    Control(
        "went",
        "Show where they went",
        "Arrows from where examples are in the original to where each method has them: for those that are highlighted or "
        "selected, or else for all that are corrupted.",
        "choice",
        "off",
        choices=fixed(WENT),
        scenario=False,
    ),
    Control(
        "details",
        "Open tab",
        "Which tab below the points is open.",
        "choice",
        "thumbnails",
        choices=fixed(DETAILS),
        scenario=False,
    ),
    Control(
        "marked",
        "Marked examples",
        "The examples that are selected, pinned and looked at, on every page.",
        "text",
        "",
        high=MAX_MARKED,
        scenario=False,
    ),
)
