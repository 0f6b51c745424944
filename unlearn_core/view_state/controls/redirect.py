"""Controls of the page on redirect neurons."""

from __future__ import annotations

from typing import Final, TypedDict

from unlearn_core.view_state.controls.choices import method_names
from unlearn_core.view_state.controls.control import Control, fixed

INSPECTED_METHOD: Final = ("channels", "channel", "maps", "changes", "similarity")
"""What the page on redirect neurons shows below the strength: all channels, one of them, maps of the plane, changed parameters,
how alike layers are."""


class RedirectState(TypedDict, total=False):
    """What the page on redirect neurons shows; None: by rule."""

    inspected: str
    strength: float
    redirect_part: str
    redirect_layer: int | None
    redirect_channel: int | None


REDIRECT: Final[tuple[Control, ...]] = (
    Control(
        "inspected",
        "Model",
        "Whose channels are shown; ✓ marks what is computed already.",
        "choice",
        "rem",
        choices=method_names,
        url="inside",
        scenario=False,
    ),
    Control(
        "strength",
        "Strength of the redirect channels",
        "1: all of them on, for every example; 0: dropped, the model as it is used.",
        "share",
        1.0,
        step=0.05,
        scenario=False,
    ),
    Control(
        "redirect_part",
        "Shown below",
        "All channels side by side, one channel, maps over the plane, the parameters that changed, or how alike layers are.",
        "choice",
        "channels",
        choices=fixed(INSPECTED_METHOD),
        url="r_part",
        scenario=False,
    ),
    Control(
        "redirect_layer",
        "Layer",
        "Which hidden layer is shown; the first one counts as 1.",
        "int",
        None,
        low=1,
        high=99,
        step=1,
        url="r_layer",
        scenario=False,
    ),
    Control(
        "redirect_channel",
        "Channel",
        "Which channel of the layer is shown: base channels first, then redirect channels, counted from 0.",
        "int",
        None,
        high=9999,
        step=1,
        url="r_channel",
        scenario=False,
    ),
)
