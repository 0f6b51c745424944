"""Suspects in pages: the pictures on both sides of the threshold, the list to go through, the evidence for one of them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.session import audience, binding, drafts
from pages.widgets import examples, more_like, show
from unlearn_core import view_state as vs
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.craft.data import triggers
from unlearn_core.views.embedding.examples import pictures
from unlearn_core.views.suspects import figure as suspects_figure
from unlearn_core.views.suspects import forget_set_edits as edits

if TYPE_CHECKING:
    from unlearn_core.specs import Scenario
    from unlearn_core.views.craft.data import Box
    from unlearn_core.views.suspects.data import Suspects

PER_PAGE = 40
_STYLE = """<style>
.eunoe-wall {display: grid; grid-template-columns: repeat(8, 1fr); gap: 5px;}
.eunoe-wall div {font-size: .72rem; line-height: 1.25; border: 1px solid rgba(138,143,152,.35); border-radius: 6px;
 padding: 3px; overflow: hidden;}
.eunoe-wall :is(b, span) {display: inline-block; max-width: 100%; vertical-align: bottom; overflow: hidden;
 white-space: nowrap; text-overflow: ellipsis;}
.eunoe-wall img {width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; display: block;}
@media (max-width: 640px) {.eunoe-wall {grid-template-columns: repeat(6, 1fr);}}
.eunoe-wall .out img {opacity: .45;}
.eunoe-fact {margin: 0; line-height: 1.3;}
.eunoe-fact b {font-size: 1.35rem; font-weight: 600;}
.eunoe-fact small {font-size: .84rem; opacity: .78; display: block;}
.eunoe-one .eunoe-seen {width: fit-content;}
.eunoe-one img {width: 116px; aspect-ratio: 1; image-rendering: pixelated; border-radius: 6px; display: block;}
</style>"""
_SIGNS = {edits.IN: "✔", edits.OUT: "✕", edits.TRUSTED: "★", edits.UNDECIDED: ""}


def names_of(scenario: Scenario) -> tuple[str, ...]:
    """The paths of all training examples, where they come from files."""
    from unlearn_core.datasets import load_dataset

    return load_dataset(scenario.dataset, scenario.seed).names


def wall(scenario: Scenario, rows: pd.DataFrame, groups: np.ndarray | None) -> None:
    """Small pictures of suspects: given label, what the healed model says, probability; with the truth where ``groups``."""
    indices, boxes = [int(index) for index in rows["index"]], triggers(scenario) if groups is not None else {}
    cards = [
        _card(row, pixels, None if groups is None else str(groups[int(row["index"])]), boxes.get(int(row["index"])))
        for row, pixels in zip(rows.to_dict("records"), pictures(scenario, indices), strict=True)
    ]
    st.html(f'{_STYLE}<div class="eunoe-wall">{"".join(cards)}</div>')


def _card(row: dict[Any, Any], pixels: Any, group: str | None, box: Box | None) -> str:
    given, says = html.escape(str(row["given"])), html.escape(str(row["says"]))
    chance = "" if pd.isna(row["probability"]) else f"{100 * row['probability']:.0f}\u00a0%"
    words = f"training example {row['index']}, given {given}, the healed model says {says} {chance}".strip()
    truth = "" if group is None else f"{examples.sign(group)} "
    out = ' class="out"' if row["status"] in (edits.OUT, edits.TRUSTED) else ""
    return (
        f'<div{out} title="{words}{"" if group is None else f", truly {group}"}">{examples.image(pixels, words, box)}'
        f"<b>{given}</b> <span>→ {says}</span><br>{truth}{chance} {_SIGNS[row['status']]}</div>"
    )


def fact(label: str, value: str, remark: str) -> None:
    """One number with its name and its interval."""
    st.html(f'{_STYLE}<p class="eunoe-fact"><small>{label}</small><b>{value}</b><small>{remark}</small></p>')


def page_of(count: int, key: str) -> tuple[int, int]:
    """Which of ``count`` rows are shown, as (first, end); a control where there are several pages."""
    last = max(1, -(-count // PER_PAGE))
    if last == 1:
        return 0, count
    st.session_state[key] = min(st.session_state.get(key) or 1, last)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Page of {last}")
        number = st.number_input("Page", min_value=1, max_value=last, step=1, key=key, width=130, label_visibility="collapsed")
    return (number - 1) * PER_PAGE, min(number * PER_PAGE, count)


def listing(
    scenario: Scenario, rows: pd.DataFrame, columns: Sequence[str], key: str, words: str, name: str, one: bool = False
) -> list[int]:
    """A table of examples with their pictures; returns the indices of the marked rows. ``one``: a marked row becomes the
    suspect whose evidence is shown."""
    shown = rows[[column for column in columns if column in rows]].reset_index(drop=True)
    indices = [int(index) for index in rows["index"]]
    images = pictures(scenario, indices)
    drawn_rows = shown
    if "status" in shown:  # as a sign: in words it would push the last column out of sight
        drawn_rows = drawn_rows.assign(status=[_SIGNS.get(status, "") for status in shown["status"]])
    if images and images[0].ndim > 1:
        drawn_rows = drawn_rows.assign(image=[examples.address(pixels, 48) for pixels in images])
        drawn_rows = drawn_rows[["image", *shown.columns]]

    def marked() -> None:
        found = st.session_state[key]["selection"]["rows"]
        if one and found and found[-1] < len(indices):
            binding.change(suspect=indices[found[-1]])

    event = st.dataframe(
        drawn_rows,
        hide_index=True,
        row_height=40,
        height=min(420, 44 + 40 * max(1, len(shown))),
        key=key,
        on_select=marked,
        selection_mode="multi-row",
        column_config=_columns(),
    )
    show.caption(words, shown, name)
    return [indices[row] for row in event["selection"]["rows"] if row < len(indices)]


def _columns() -> dict[str, Any]:
    """How each column of :func:`listing` is headed and suspects_figure."""
    column = st.column_config
    return {
        "image": column.ImageColumn("", width=48),
        "rank": column.NumberColumn("rank", width=48),
        "index": column.NumberColumn("example", format="%d", width=74),
        "given": column.TextColumn("given", width=62),
        "says": column.TextColumn("says", width=62, help="What the healed model predicts"),
        "probability": column.ProgressColumn("probability", format="percent", min_value=0.0, max_value=1.0, width=110),
        "score": column.NumberColumn("score", format="%.2f", width=56, help="All evidence, in standard deviations"),
        "status": column.TextColumn("set", width=40, help="✔ in your set, ✕ rejected, ★ trusted"),
        "truth": column.TextColumn("truth", width=84),
        "confidence": column.NumberColumn("mean probability", format="percent", help="Of the given label, watched"),
        "variability": column.NumberColumn("variability", format="%.2f", help="Its standard deviation"),
        "before": column.NumberColumn("rank before", format="%d"),
    }


def evidence(state: vs.State, scenario: Scenario, found: Suspects, groups: np.ndarray | None) -> None:
    """One suspect closely: picture, labels, and how far each score puts it above the typical example."""
    known = set(found.table["index"].tolist())
    asked = state["suspect"]
    index = asked if asked is not None and asked in known else int(found.table["index"].iloc[0])
    row: dict[Any, Any] = found.table[found.table["index"] == index].to_dict("records")[0]
    pixels = pictures(scenario, [index])[0]
    words = st.container()
    if pixels.ndim > 1:
        left, words = st.columns([1, 2], vertical_alignment="center", gap="medium")
        box = triggers(scenario).get(index) if groups is not None else None
        left.html(f'{_STYLE}<div class="eunoe-one">{examples.image(pixels, f"training example {index}", box)}</div>')
    truth = "" if groups is None else f"  \nTruly {groups[index]}."
    chance = "" if pd.isna(row["probability"]) else f"  \nCorrupted with probability **{100 * row['probability']:.0f} %**"
    given, says = escape_markdown(row["given"]), escape_markdown(row["says"])
    early = (
        "  \nA training run that was only watched learned the given label early and contradicted it later."
        if row.get("given_up")
        else ""
    )
    words.markdown(
        f"**Example {index}**, rank {row['rank']} of {len(found):,}  \ngiven **{given}**, the healed model says "
        f"**{says}**{chance}{early}{truth}"
    )
    show.picture(suspects_figure.evidence_bars(found.evidence(index), index, 300), "suspect-evidence")
    more_like.section(state, scenario, [index], "suspect")


def decide(draft: drafts.Draft, marked: list[int]) -> None:
    """Buttons for the marked suspects; none for a visitor."""
    if audience.visitor():
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            f"Accept {len(marked) or ''}", key="accept", icon=":material/check:", disabled=not marked,
            on_click=drafts.add, args=(draft, marked), help="They are corrupted: into your set",
        )  # fmt: skip
        st.button(
            f"Reject {len(marked) or ''}", key="reject", icon=":material/close:", disabled=not marked,
            on_click=drafts.reject, args=(draft, marked), help="They are clean: they stay out, and are not offered again",
        )  # fmt: skip
        st.button(
            f"Trust {len(marked) or ''}", key="trust", icon=":material/star:", disabled=not marked,
            on_click=drafts.check, args=(draft, marked),
            help="They are clean, and count as checked: methods that work on trusted examples get them",
        )  # fmt: skip
        if not marked:
            st.caption("Mark rows to accept or reject them.")
