"""Show where they went: the switch, and the star-burst in place of the embedding."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pages.session import audience, binding
from pages.widgets import show
from unlearn_core.views.embedding import burst as bursts
from unlearn_core.views.embedding.burst_figure import Burst, meaning, starburst
from unlearn_core.views.embedding.examples import ORIGINAL

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from unlearn_core import view_state as vs
    from unlearn_core.views.embedding.data import Embedding
    from unlearn_core.views.embedding.examples import Examples
    from unlearn_core.views.embedding.figure import Cloud

_SWITCH = {True: "on", False: "off"}


def switch(state: vs.State, place: DeltaGenerator) -> None:
    """The control, unless it is hidden."""
    if not binding.hidden(state, "went"):
        place.toggle(**binding.widget_args(state, "went", _SWITCH.__getitem__, lambda one: one == "on"))


def picture(cloud: Cloud, shown: Examples, found: Embedding, names: Sequence[str], group: np.ndarray, name: str) -> bool:
    """The star-burst of ``group``, bool (N,), which is called ``name``, and what the movement means; False, with the reason,
    where there is nothing to draw. ``names``: the methods."""
    rows, arrows = bursts.drawn(group, found)
    if not len(rows):
        none = "No example is in focus" if not group.any() else "None of these is among the examples that UMAP is drawn for"
        show.note(f"{none}: there is no way to show.")
        return False
    made = Burst(cloud, name, rows, arrows, bursts.at_home(shown, found, [ORIGINAL, *names]))
    show.picture(starburst(made, stacked=audience.on_phone()), "went")
    show.note(html.escape(meaning(made)))
    return True
