"""Controls of the decision boundary."""

from __future__ import annotations

from typing import Final, Literal, TypedDict, get_args

from unlearn_core.view_state.controls.choices import view_names
from unlearn_core.view_state.controls.control import Control, fixed

MAX_VIEWS: Final = 4
SHADINGS: Final = ("soft", "hard")
SPLITS: Final = ("train", "test")
EXAMPLE_GROUPS: Final = ("clean", "discovered", "undiscovered")
BOUNDARY_MODES: Final = ("result", "rounds")
Anchor = Literal["anchor_a", "anchor_b", "anchor_c"]
ANCHORS: Final[tuple[Anchor, Anchor, Anchor]] = get_args(Anchor)


class BoundaryState(TypedDict, total=False):
    """What the page on the decision boundary shows; None: by rule."""

    views: tuple[str, ...]
    shading: str
    splits: tuple[str, ...]
    groups: tuple[str, ...]
    time: str
    frame: int | None
    anchor_a: int | None
    anchor_b: int | None
    anchor_c: int | None


BOUNDARY: Final[tuple[Control, ...]] = (
    Control(
        "views",
        "Models side by side",
        "Up to four; none chosen means the original, the first and the last chosen method, and the oracle.",
        "choices",
        (),
        high=MAX_VIEWS,
        choices=view_names,
        scenario=False,
    ),
    Control(
        "shading",
        "Regions",
        "Soft regions pale where the model is unsure, hard ones show its decision alone.",
        "choice",
        "soft",
        choices=fixed(SHADINGS),
        scenario=False,
    ),
    Control(
        "splits",
        "Points",
        "Which examples are drawn strongly; the others fade.",
        "choices",
        ("train",),
        choices=fixed(SPLITS),
        scenario=False,
    ),
    Control(
        "groups",
        "Groups",
        "Which groups are drawn strongly; the others fade.",
        "choices",
        EXAMPLE_GROUPS,
        choices=fixed(EXAMPLE_GROUPS),
        scenario=False,
    ),
    Control(
        "time",
        "Time",
        "The finished models, or how they got there, round by round.",
        "choice",
        "result",
        choices=fixed(BOUNDARY_MODES),
        scenario=False,
    ),
    Control(
        "frame",
        "Opens at step",
        "The step of the timeline that a copied link opens with; 0 is the original.",
        "int",
        None,
        high=99,
        step=1,
        scenario=False,
    ),
    *(
        Control(
            name,
            f"Image {name[-1].upper()}",
            f"Training index of image {name[-1].upper()} of the plane.",
            "int",
            None,
            high=10_000_000,
            step=1,
            scenario=False,
        )
        for name in ANCHORS
    ),
)
