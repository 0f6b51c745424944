"""Controls of the page on the forget set."""

from __future__ import annotations

from typing import Final, TypedDict

from unlearn_core.view_state.controls.control import Control, fixed

SEARCHES: Final = ("quick", "thorough")
SHOW_TRUTH: Final = ("shown", "hidden")


class ForgetSetState(TypedDict, total=False):
    """What the page on the forget set shows; None: by rule."""

    draft: str
    search: str
    cut: int | None
    truth: str
    suspect: int | None
    looks: str


FORGET_SET: Final[tuple[Control, ...]] = (
    Control("draft", "Your set", "The forget set that is being edited.", "text", "", url="set", scenario=False),
    Control(
        "search",
        "Search",
        "Quick: one round. Thorough: rounds until nothing new is found, each told of what the one before has added.",
        "choice",
        "quick",
        choices=fixed(SEARCHES),
        scenario=False,
    ),
    Control(
        "cut",
        "Threshold",
        "How many suspects, from the top of the list, are taken to be corrupted.",
        "int",
        None,
        high=10_000_000,
        step=1,
        scenario=False,
    ),
    Control(
        "truth",
        "The truth",
        "What only an experiment knows: show it beside the estimates, or judge by yourself.",
        "choice",
        "shown",
        choices=fixed(SHOW_TRUTH),
        scenario=False,
    ),
    Control(
        "suspect",
        "Suspect",
        "The training example whose evidence is shown.",
        "int",
        None,
        high=10_000_000,
        step=1,
        scenario=False,
    ),
    Control(
        "looks",
        "Looks",
        "The answers to the cards that were shown where no error was known.",
        "text",
        "",
        high=600,
        scenario=False,
    ),
)
