"""Choosing methods: the filter by family, the methods themselves, and what each of them is, needs and can be set to."""

from __future__ import annotations

import html

import streamlit as st

from pages.cache import catalog
from pages.session import binding
from pages.widgets import show
from unlearn_core import view_state as vs
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.palette import method_styles
from unlearn_core.views.table import knows_help, value_table
from unlearn_core.views.task_map_thumbnail import aim_image

_STYLE = """<style>
.eunoe-aim {display: flex; gap: 10px; align-items: center; font-size: .88rem; line-height: 1.35; margin-top: 2px;}
.eunoe-aim img {width: 84px; height: 84px; flex: none;}
.eunoe-aim span {opacity: .85;}
</style>"""


def choose(state: vs.State) -> binding.Place:
    """One row: the choice of two to six methods, a drawer with what narrows it, and the place for the button that runs them."""
    row = st.columns([5.4, 0.95, 1.15], vertical_alignment="bottom")
    if not binding.hidden(state, "methods"):
        offered = catalog.offered(state)
        row[0].multiselect(
            options=offered,
            format_func=catalog.method_label,
            max_selections=vs.MAX_METHODS,
            placeholder=f"Choose two to six of {len(offered)} methods",
            label_visibility="collapsed",
            **binding.widget_args(state, "methods", tuple, list),
        )
    with row[1]:
        _more(state)
    return row[2]


def _more(state: vs.State) -> None:
    """A drawer: the families and what methods are told, which narrow the choice, and whose values they have."""
    parts = {"families": _families, "knows": _told, "values": _values}
    shown = [part for name, part in parts.items() if not binding.hidden(state, name)]
    if not shown:
        return
    narrowed = len(state["families"]) + len(state["knows"])
    with st.popover(
        f"Filter: {narrowed}" if narrowed else "Filter", icon=":material/tune:", width="stretch",
        help="Methods by family or by what they are told; tuned or published values",
    ):  # fmt: skip
        for part in shown:
            part(state)


def _families(state: vs.State) -> None:
    counts = catalog.families()
    st.pills(
        options=list(counts),
        selection_mode="multi",
        format_func=lambda family: f"{family} {counts[family]}",
        **binding.widget_args(state, "families", tuple, list),
    )


def _told(state: vs.State) -> None:
    told = catalog.knowledge()
    st.pills(
        options=list(told),
        selection_mode="multi",
        format_func=lambda name: told[name],
        **binding.widget_args(state, "knows", tuple, list) | {"help": knows_help()},
    )


def _values(state: vs.State) -> None:
    st.segmented_control(options=list(vs.VALUE_SETS), **binding.widget_args(state, "values"))


def cards(state: vs.State, names: list[str]) -> None:
    """One tab per method: what it is and needs, where its parameters come from, and a form to change them."""
    explained, settable = (not binding.hidden(state, panel) for panel in ("explanation", "parameters"))
    if not names or not (explained or settable):
        return
    title = "The methods: what they do, what they need, their parameters" if explained else "Parameters of the methods"
    drawer = st.expander(title, icon=":material/menu_book:", key="methods_open", on_change="rerun")
    if not drawer.open:
        return
    with drawer:
        styles = method_styles(names)
        for name, tab in zip(names, st.tabs([catalog.method_label(name) for name in names]), strict=True):
            with tab:
                if explained:
                    _explanation(state, name, styles[name].color)
                known = catalog.method_card(name, state)
                st.caption(f"**Parameters.** {known.source} {known.both}")
                if known.sets:
                    with st.popover("Tuned and paper side by side", icon=":material/compare_arrows:"):
                        show.text_table(value_table(known.sets))
                if settable:
                    binding.parameters(state, name, st.columns(4))
        for name, reason in catalog.disabled_methods().items():
            st.caption(f":material/block: **{escape_markdown(name)}** is disabled: {escape_markdown(reason)}")


def _explanation(state: vs.State, name: str, color: str) -> None:
    known = catalog.method_card(name, state)
    words, aim = st.columns([2.4, 1], gap="large")
    facts = [known.family, known.paper, f"needs {', '.join(known.needs)}"]
    if known.without:
        facts.append(f"does without {', '.join(known.without)}")
    words.markdown(known.summary)
    words.caption(" · ".join(facts))
    at = (state["regularity"], state["discovery"])
    inside = "This view lies inside." if known.aims_at(*at) else "This view lies <b>outside</b>."
    picture = aim_image(known.regularity, known.discovery, at, color)
    text = html.escape(f"Aims at {known.aim}.")
    aim.html(
        f'{_STYLE}<div class="eunoe-aim"><img alt="Regularity to the right, discovery upwards: {text} The dot is this view." '
        f'src="{picture}"><span>{text}<br>{inside}</span></div>'
    )
