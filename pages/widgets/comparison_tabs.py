"""What a comparison shows, in tabs: map and course, class by class, who stays exposed, cost, what comes back, files, words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.cache import catalog
from pages.session import binding
from pages.widgets import comparison as results
from pages.widgets import exports, mistakes, show
from pages.widgets import returns as returning
from unlearn_core import view_state as vs
from unlearn_core.plugins import explain
from unlearn_core.results.memorised import nothing_to_heal, share_in
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.compare.classes_figure import classes
from unlearn_core.views.compare.difference_figure import difference
from unlearn_core.views.compare.figure import cost, healed_utility, trajectories
from unlearn_core.views.text.sentences import UNKNOWN_HEALED

if TYPE_CHECKING:
    from unlearn_core.specs import MethodSpec, Scenario
    from unlearn_core.views.added import ComparisonPicture
    from unlearn_core.views.picture import Picture

_PACES = {"work": "share of work", "round": "rounds"}


def tabs(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    """All pictures that this view does not hide."""
    panels: dict[str, tuple[str, ...]] = {
        "map": ("scatter", "trajectories"), "classes": ("classes", "confusion"), "exposure": ("exposure",),
        "cost": ("cost", "difference"), "returns": ("returns",),
        "export": ("export",), "meanings": ("meanings",),
    }  # fmt: skip
    parts: dict[str, tuple[str, Callable[[], None]]] = {
        "map": ("Map and course", lambda: _map(state, scenario, specs, frame)),
        "classes": ("Class by class", lambda: _classes(state, scenario, specs, frame)),
        "exposure": ("Who stays exposed", lambda: mistakes.exposed(state, scenario, specs, frame)),
        "cost": ("Cost and differences", lambda: _cost(state, frame)),
        "returns": ("What comes back", lambda: returning.tab(scenario, specs, frame)),
        "export": ("Export", lambda: exports.tab(state, scenario, specs, frame)),
        "meanings": ("What the numbers mean", results.meanings),
    }
    if added := catalog.added_pictures():
        parts["added"] = ("From plug-ins", lambda: _added(added, frame))
    shown = {
        name: part
        for name, part in parts.items()
        if name not in panels or not all(binding.hidden(state, panel) for panel in panels[name])
    }
    show.tabs_in_link(state, "tab", shown)


def _map(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    known = frame["healed"].notna().any()
    # Everything is computed before anything is sent: a browser that receives a figure loads the plotting library first, and
    # the table above, which has just been sent, would wait for that.
    wanted = vs.metric_shown(state)
    scatter = healed_utility(frame) if known and not binding.hidden(state, "scatter") else None
    rounds = results.trajectory_frame(scenario, specs, frame) if not binding.hidden(state, "trajectories") else None
    course = _course(state, rounds, wanted, not nothing_to_heal(share_in(frame))) if rounds is not None else None
    left, right = st.columns(2 if known else [1, 2.2], gap="large")
    with left:
        if scatter is not None:
            st.markdown("**Healed against utility**")
            show.picture(scatter, "scatter")
        elif not known and not binding.hidden(state, "scatter"):
            st.info(f"{UNKNOWN_HEALED} What can be known is in the table and in the other tabs.", icon=":material/help:")
    if rounds is not None:
        with right:
            _over_time(state, rounds, wanted, course)


def _course(state: vs.State, rounds: pd.DataFrame, wanted: str, healing: bool) -> Picture | None:
    """The chosen metric over the rounds, or None where no method recorded it; ``healing``: whether there was any to do."""
    if not rounds.get(wanted, pd.Series(dtype=float)).notna().any():
        return None
    metric = catalog.metrics()[wanted]
    share = metric.unit == "share"
    return trajectories(rounds, wanted, metric.label, metric.formula, share, state["pace"], healing)


def _over_time(state: vs.State, rounds: pd.DataFrame, wanted: str, course: Picture | None) -> None:
    known = vs.truth_known(state)
    told = set(rounds.columns[rounds.notna().any()])
    title, axis = st.columns([1, 1.25], vertical_alignment="center")
    title.markdown("**Over time**")
    binding.segments(state, "pace", _PACES, axis)
    if not binding.hidden(state, "metric"):
        st.selectbox(
            options=[name for name in catalog.recorded_metrics(wanted) if known or name == wanted or name in told],
            format_func=catalog.metric_label,
            label_visibility="collapsed",
            **binding.widget_args(state, "metric", show=lambda _: wanted),
        )
    if course is not None:
        show.picture(course, "trajectories")
    else:
        label = catalog.metrics()[wanted].label
        st.info(f"No method recorded “{label}” over its rounds; choose another metric above.")


def _classes(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    if not binding.hidden(state, "classes"):
        _class_shares(state, scenario, specs, frame)
    if not binding.hidden(state, "confusion"):
        st.markdown("**Which class is taken for which, before and after**")
        mistakes.confusions(state, scenario, specs, frame)


def _class_shares(state: vs.State, scenario: Scenario, specs: Sequence[MethodSpec], frame: pd.DataFrame) -> None:
    shares = results.class_frame(scenario, specs)
    if shares.empty:
        st.info("The outputs of these models are not in the store; run them to see each class.")
        return
    if shares["healed"].isna().all():
        show.note("By class only utility is shown: nobody knows which training labels are wrong.")
        state = state | {"by_class": "utility"}
    else:
        binding.segments(state, "by_class", {name: catalog.metric_label(name) for name in vs.BY_CLASS})
    show.picture(classes(shares, state["by_class"], not nothing_to_heal(share_in(frame))), "classes")


def _added(pictures: Sequence[type[ComparisonPicture]], frame: pd.DataFrame) -> None:
    """Pictures that plug-ins add; one that fails costs no other."""
    for picture in pictures:
        st.markdown(f"**{escape_markdown(picture.label)}**")
        try:
            drawn = picture.draw(frame.copy())
        except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises, the others are drawn
            st.error(f"This picture cannot be drawn: {escape_markdown(explain(error))}", icon=":material/error:")
            continue
        if drawn is None:
            st.info(f"There is nothing to draw: {escape_markdown(picture.summary)}", icon=":material/info:")
        else:
            show.picture(drawn, f"added-{picture.name}")


def _cost(state: vs.State, frame: pd.DataFrame) -> None:
    left, right = st.columns([1, 1.7], gap="large")
    if not binding.hidden(state, "cost"):
        with left:
            st.markdown("**Cost**")
            show.picture(cost(frame), "cost")
    if not binding.hidden(state, "difference"):
        with right:
            _difference(frame)


def _difference(frame: pd.DataFrame) -> None:
    st.markdown("**Difference to retraining**")
    known = catalog.metrics()
    compared = difference(frame, {name: known[name] for name in vs.HEADLINES if known[name].unit == "share"})
    if compared is None:
        st.info("Retraining has not finished (or cannot run without a forget set), so there is nothing to subtract.")
    else:
        show.picture(compared, "difference")
