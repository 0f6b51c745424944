"""Training examples as small pictures in pages, and everything about one of them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.session import selection
from pages.widgets import examples
from unlearn_core import view_state as vs
from unlearn_core.corruption import UNKNOWN
from unlearn_core.support.escaping import escape_markdown

if TYPE_CHECKING:
    from unlearn_core.views.craft.data import Box
    from unlearn_core.views.embedding.examples import Examples, Sample

PER_PAGE = 60

_STYLE = """<style>
.eunoe-thumbs {display: grid; grid-template-columns: repeat(auto-fill, minmax(86px, 1fr)); gap: 8px;}
.eunoe-thumb {border: 1px solid rgba(138,143,152,.35); border-radius: 7px; padding: 5px; font-size: .74rem; line-height: 1.25;}
.eunoe-thumb img {width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; display: block;}
.eunoe-thumb div {display: flex; flex-wrap: wrap; justify-content: space-between; column-gap: .4em; margin-top: 3px;}
.eunoe-thumb span {white-space: nowrap; overflow: hidden; text-overflow: ellipsis; max-width: 100%;}
.eunoe-thumb b {font-weight: 600;}
.eunoe-row {display: flex; gap: 6px;}
.eunoe-row .eunoe-thumb {flex: 1 1 0; min-width: 0; padding: 3px;}
.eunoe-big .eunoe-thumb {font-size: .84rem; padding: 5px;}
</style>"""


def thumbnails(pictures: Mapping[int, np.ndarray], shown: Examples, model: str | None, boxes: Mapping[int, Box]) -> None:
    """One small card per example: picture, given and true label, group, and what ``model`` predicts. ``boxes``: where a
    trigger is."""
    predicted = shown.words(shown.predicted(model)) if model is not None else None
    cards = [
        card(pixels, shown, index, None if predicted is None else predicted[index], boxes.get(index))
        for index, pixels in pictures.items()
    ]
    st.html(f'{_STYLE}<div class="eunoe-thumbs">{"".join(cards)}</div>')


def card(pixels: np.ndarray, shown: Examples, index: int, predicted: str | None, box: Box | None) -> str:
    """One example as HTML."""
    given, clean = shown.names[shown.given[index]], shown.word(int(shown.clean[index]))
    group = str(shown.group_names[index])
    labels = _labels(given, clean)
    after = "" if predicted is None else f"<span>→ {html.escape(str(predicted))}</span>"
    words = f"training example {index}, {group}, given {given}, truly {clean}"
    return (
        f'<div class="eunoe-thumb" title="{html.escape(words)}">{examples.image(pixels, html.escape(words), box)}'
        f"<div><span>{examples.sign(group)} {index}</span></div><div><span>{labels}</span>{after}</div></div>"
    )


def _labels(given: str, clean: str) -> str:
    """The given label, and in brackets the true one where it is known and another."""
    return (
        f"<b>{html.escape(given)}</b>" if clean in (given, UNKNOWN) else f"<b>{html.escape(given)}</b> ({html.escape(clean)})"
    )


def pages(count: int) -> tuple[int, int]:
    """Which of ``count`` examples the page of the grid shows, as (first, end); a control where there are several pages."""
    last = max(1, -(-count // PER_PAGE))
    if last == 1:
        return 0, count
    key = "thumbnail-page"
    st.session_state[key] = min(st.session_state.get(key) or 1, last)
    number = st.number_input(f"Page of {last}", min_value=1, max_value=last, step=1, key=key, width=150)
    return (number - 1) * PER_PAGE, min(number * PER_PAGE, count)


def inspector(
    sample: Sample, shown: Examples, labels: Mapping[str, str], near: Mapping[int, np.ndarray], boxes: Mapping[int, Box]
) -> None:
    """Pictures, probabilities, nearest neighbours and redirect activation of one example. ``near``: pictures of neighbours;
    ``boxes``: where a trigger is."""
    left, middle, right = st.columns([1, 1.9, 2], gap="medium")
    with left:
        _both(sample, boxes.get(sample.index))
    with middle:
        st.markdown("**Probabilities**")
        table = sample.probabilities.rename(columns=dict(labels))
        bars = {
            name: st.column_config.ProgressColumn(format="%.3f", min_value=0.0, max_value=1.0, width=104)
            for name in table.columns[1:]
        }
        bars["class"] = st.column_config.Column(width=56)
        st.dataframe(table, hide_index=True, column_config=bars, key="probabilities", height="content")
    with right:
        st.markdown("**Nearest neighbours in feature space**")
        if not sample.neighbours:
            st.caption("This example is not among those drawn, so its neighbours were not searched.")
        for model, indices in sample.neighbours.items():
            st.caption(escape_markdown(labels[model]))
            _neighbours(indices, shown, near, boxes)
        _redirect(sample, labels)


def _both(sample: Sample, box: Box | None) -> None:
    if sample.before.ndim > 1:
        pair = ((sample.before, "clean", None), (sample.after, "as given", box))
        named = [(examples.image(pixels, f"example {sample.index} {words}", seen), words) for pixels, words, seen in pair]
        images = "".join(f'<div class="eunoe-thumb">{picture}<div>{words}</div></div>' for picture, words in named)
        st.html(f'{_STYLE}<div class="eunoe-row eunoe-big">{images}</div>')
    else:
        x, y = sample.after
        from_x, from_y = sample.before
        moved = "" if (x, y) == (from_x, from_y) else f", moved there from ({from_x:.2f}, {from_y:.2f})"
        st.markdown(f"A point at ({x:.2f}, {y:.2f}){moved}.")
    st.html(f"{examples.badge(sample.group)}{'' if sample.kind == 'clean' else ' · ' + html.escape(sample.kind)}")
    st.markdown(f"given **{escape_markdown(sample.given)}** · truly **{escape_markdown(sample.clean)}**")


def _neighbours(indices: Sequence[int], shown: Examples, near: Mapping[int, np.ndarray], boxes: Mapping[int, Box]) -> None:
    if near:
        cards = "".join(_small(near[index], shown, index, boxes.get(index)) for index in indices)
        st.html(f'{_STYLE}<div class="eunoe-row">{cards}</div>')
        return
    signs = [
        f"{examples.sign(str(shown.group_names[index]))} {index} given {html.escape(shown.names[shown.given[index]])}"
        for index in indices
    ]
    st.html(" · ".join(signs))


def _small(pixels: np.ndarray, shown: Examples, index: int, box: Box | None) -> str:
    group, given, clean = str(shown.group_names[index]), shown.names[shown.given[index]], shown.word(int(shown.clean[index]))
    words = html.escape(f"training example {index}, {group}, given {given}, truly {clean}")
    line = f"<div><span>{examples.sign(group)} {_labels(given, clean)}</span></div>"
    return f'<div class="eunoe-thumb" title="{words}">{examples.image(pixels, words, box)}{line}</div>'


def _redirect(sample: Sample, labels: Mapping[str, str]) -> None:
    if sample.redirect.empty:
        st.caption("None of the shown runs has redirect channels.")
        return
    st.markdown("**Redirect activation**", help="The mean over the channels of a layer, redirect channels all on (no unit)")
    st.dataframe(
        sample.redirect.assign(method=sample.redirect["method"].map(dict(labels))),
        hide_index=True,
        key="redirect-activation",
        column_config={
            "redirect": st.column_config.NumberColumn("redirect channels", format="%.3f"),
            "base": st.column_config.NumberColumn("base channels", format="%.3f"),
        },
    )


def pinned(index: int) -> None:
    """Pin or unpin this example, and jump to one that is pinned."""
    kept = selection.pins()
    act, shown = st.columns([1, 5], vertical_alignment="bottom")
    if index in kept:
        act.button("Unpin", key="unpin", icon=":material/keep_off:", on_click=selection.unpin, args=(index,), width="stretch")
    else:
        act.button("Pin", key="pin", icon=":material/keep:", on_click=selection.pin, args=(index,), width="stretch")
    with shown, st.container(horizontal=True, gap="small"):
        if not kept:
            st.caption(f"Pin up to {vs.MAX_PINS} examples to come back to them, on this page or another.")
        for one in kept:
            st.button(f"{one}", key=f"pinned:{one}", on_click=selection.inspect, args=(one,), help=f"Look at example {one}")
