"""The worst case: from the results, the gallery below them, to the task where a method fails most, in one click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import catalog
from pages.session import binding
from pages.session.services import store
from unlearn_core import view_state as vs
from unlearn_core.views.text.sentences import TOO_FEW, worst_place, worst_sentence

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.views.heatmap.worst_case import WorstCase


def button(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec]) -> None:
    """A list, opened on request, of where each chosen method does worst; a click goes there."""
    if binding.hidden(state, "worst") or vs.as_found(state):  # labels as they come have no dials to set
        return
    opened = st.popover(
        "Worst case",
        icon=":material/trending_down:",
        help="The task where a method heals least for what it costs",
        width="stretch",
        key="worst",
        on_change="rerun",
    )
    if not opened.open:  # reading all stored runs takes time, and only those who ask should wait
        return
    from unlearn_core.results.gallery import gallery
    from unlearn_core.views.heatmap.worst_case import worst_cases

    chosen = [spec for spec in specs if spec.name in state["methods"]]
    precomputed = gallery()
    with opened:
        found = worst_cases(store(), scenario, chosen, precomputed.on_dial if precomputed else None)
        st.caption("Healed × utility where it is lowest among the tasks that the heatmap shows. A click sets the dials.")
        for name, worst in found.items():
            label = catalog.method_label(name)
            st.button(
                f"**{label}** · {worst_place(worst)}" if worst else f"**{label}** · not enough stored",
                key=f"worst:{name}",
                disabled=worst is None,
                help=None if worst else TOO_FEW,
                on_click=_go,
                args=(worst,),
                width="stretch",
            )
        if precomputed is not None and any(worst is not None and worst.precomputed for worst in found.values()):
            st.caption(precomputed.line())
        if any(worst is None for worst in found.values()):
            st.caption(f"“Not enough stored”: {TOO_FEW[0].lower()}{TOO_FEW[1:]}")


def _go(worst: WorstCase) -> None:
    binding.change(regularity=worst.regularity, discovery=worst.discovery, seed=worst.seed)
    st.session_state["worst"], st.session_state["at-worst"] = False, worst


def sentence(state: vs.State) -> None:
    """What the button did, for as long as the view stays there."""
    worst: WorstCase | None = st.session_state.get("at-worst")
    if worst is None:
        return
    there = state["regularity"], state["discovery"], state["seed"]
    if there == (worst.regularity, worst.discovery, worst.seed) and worst.method in state["methods"]:
        st.info(worst_sentence(worst), icon=":material/trending_down:")
