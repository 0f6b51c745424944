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


def choose(state: vs.State) -> None:
    """The family filter over the choice of two to six methods."""
    if not binding.hidden(state, "families"):
        counts = catalog.families()
        st.pills(
            options=list(counts),
            selection_mode="multi",
            format_func=lambda family: f"{family} {counts[family]}",
            label_visibility="collapsed",
            width="stretch",
            **binding.widget_args(state, "families", tuple, list),
        )
    widths = {"methods": 5.4, "knows": 0.95, "values": 1.0}
    shown = [name for name in widths if not binding.hidden(state, name)]
    columns = st.columns([widths[name] for name in shown] or 1, vertical_alignment="bottom")
    places = dict(zip(shown, columns, strict=False))
    if "methods" in places:
        offered = catalog.offered(state)
        places["methods"].multiselect(
            options=offered,
            format_func=catalog.method_label,
            max_selections=vs.MAX_METHODS,
            placeholder=f"Choose two to six of {len(offered)} methods",
            label_visibility="collapsed",
            **binding.widget_args(state, "methods", tuple, list),
        )
    if "knows" in places:
        with places["knows"]:
            _like_with_like(state)
    if "values" in places:
        places["values"].segmented_control(options=list(vs.VALUE_SETS), **binding.widget_args(state, "values"))


def _like_with_like(state: vs.State) -> None:
    """A button behind which methods are chosen by what they are told."""
    told, chosen = catalog.knowledge(), state["knows"]
    words = f"Told: {len(chosen)}" if chosen else "Told"
    with st.popover(words, icon=":material/filter_alt:", width="stretch", help=knows_help()):
        st.pills(
            options=list(told),
            selection_mode="multi",
            format_func=lambda name: told[name],
            width="stretch",
            **binding.widget_args(state, "knows", tuple, list),
        )


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
