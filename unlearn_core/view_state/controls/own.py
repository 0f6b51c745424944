"""Controls of the page on your own data."""

from __future__ import annotations

from typing import Final, TypedDict

from unlearn_core.view_state.controls.control import Control

MAX_PATH: Final = 400


class OwnState(TypedDict, total=False):
    """Which of your own files are read."""

    own: str
    own_size: int
    own_limit: int
    own_test_limit: int
    finding: str


OWN: Final[tuple[Control, ...]] = (
    Control(
        "own",
        "Where your images are",
        "A folder, a zip, a table of paths and labels (CSV, Parquet) or an .npz on the computer that runs Eunoe.",
        "text",
        "",
        high=MAX_PATH,
        scenario=False,
    ),
    Control(
        "own_size",
        "Size in pixels",
        "Side after resizing; 0: the images' own, up to 32.",
        "int",
        0,
        high=256,
        step=8,
        scenario=False,
    ),
    Control(
        "own_limit",
        "Training images at most",
        "Take only so many, every class in its share; 0 takes all.",
        "int",
        0,
        high=10_000_000,
        step=500,
        scenario=False,
    ),
    Control(
        "own_test_limit",
        "Test images at most",
        "Take only so many, every class in its share; 0 takes all.",
        "int",
        0,
        high=10_000_000,
        step=500,
        scenario=False,
    ),
    Control(
        "finding",
        "Group to look at",
        "What data health found: single images, or something about the set as a whole.",
        "text",
        "",
        high=60,
        scenario=False,
    ),
)
