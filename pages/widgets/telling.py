"""Right labels typed with one key each: of the set's own examples, or of others to find which can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from pages.session import drafts
from pages.widgets import examples, suspects
from unlearn_core import view_state as vs
from unlearn_core.forget_sets import ForgetSet, write_csv
from unlearn_core.results.reader import scenario_data
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.embedding.examples import pictures
from unlearn_core.views.suspects.telling import class_keys, next_to_check, next_to_label

if TYPE_CHECKING:
    from unlearn_core.specs import Scenario
    from unlearn_core.views.suspects.data import Suspects

OWN, OTHERS = "Label your set", "Check others"
_STYLE = """<style>
.eunoe-tell .eunoe-seen, .eunoe-tell img {width: 116px;}
.eunoe-tell img {aspect-ratio: 1; image-rendering: pixelated; border-radius: 6px; display: block;}
.st-key-tell-classes button, .st-key-tell-names button {min-width: 3.4rem;}
.st-key-tell-names kbd {display: none;}
@media (max-width: 640px) {.st-key-tell-classes kbd {display: none;}}
</style>"""


def panel(
    state: vs.State, scenario: Scenario, draft: drafts.Draft, order: tuple[int, ...], marked: list[int], found: Suspects | None
) -> None:
    """One example, and a button for every class. ``order``: of the set's examples; ``marked``: those that come first;
    ``found``: a search, whose healed model suggests a label."""
    # Where neither is chosen there are no buttons, so that a key that is pressed by chance means nothing.
    mode = st.segmented_control(
        "Type right labels", [OWN, OTHERS], key="tell",
        help="With one key each: right labels of your set; or of others, to find examples that methods may trust",
    )  # fmt: skip
    if mode is None:
        if draft.content.labels or draft.content.checked:
            _count(draft.content)
        return
    with st.container(border=True):
        index = _asked(scenario, draft, order, marked, mode)
        if index is None:
            done = "Every example of the set has its right label." if mode == OWN else "Nothing is left to be checked."
            st.caption(done if draft.content.indices or mode == OTHERS else "Your set is empty.")
        else:
            _ask(state, scenario, draft, index, mode, found)
        _count(draft.content)
        _checked(scenario, draft)


def _passed(draft: drafts.Draft) -> set[int]:
    """What this session passed over in these data."""
    memory: dict[str, set[int]] = st.session_state.setdefault("tell-passed", {})
    return memory.setdefault(draft.of, set())


def _asked(scenario: Scenario, draft: drafts.Draft, order: tuple[int, ...], marked: list[int], mode: str) -> int | None:
    if mode == OWN:
        first = [index for index in marked if index in {*draft.content.indices}]
        return next_to_label([*first, *order], draft.content, _passed(draft))
    labels = scenario_data(scenario).corrupted.train.labels.numpy()
    return next_to_check(labels, draft.content, _passed(draft), scenario.seed)


def _ask(state: vs.State, scenario: Scenario, draft: drafts.Draft, index: int, mode: str, found: Suspects | None) -> None:
    data = scenario_data(scenario).corrupted.train
    given, pixels = data.class_names[int(data.labels[index])], pictures(scenario, [index])[0]
    says = None if found is None else str(found.everyone["says"].iloc[index])
    # What is known to be wrong is asked about; of others nothing is suggested, so that a person looks before pressing.
    suggested = says if mode == OWN and says not in (None, given) else None
    words = st.container()
    if pixels.ndim > 1:
        left, words = st.columns([1, 2.6], vertical_alignment="center", gap="medium")
        left.html(f'{_STYLE}<div class="eunoe-tell">{examples.image(pixels, f"training example {index}")}</div>')
    hint = f", the healed model says **{escape_markdown(suggested)}**" if suggested else ""
    words.markdown(f"**Example {index}**, given **{escape_markdown(given)}**{hint}.  \nWhat is it?")
    with words.container(horizontal=True, gap="small", vertical_alignment="center"):
        # A key of its own for every example: a press that comes twice must not answer for one that was not seen yet.
        if suggested:
            st.button(
                escape_markdown(suggested), key=f"tell-says-{index}", shortcut="down", type="primary",
                on_click=drafts.label, args=(draft, index, suggested, given), help="As the healed model says",
            )  # fmt: skip
        st.button(
            "Pass", key=f"tell-pass-{index}", shortcut="right", type="tertiary", icon=":material/skip_next:",
            on_click=_passed(draft).add, args=(index,), help="It comes again at the end",
        )  # fmt: skip
    _classes(draft, index, given, data.class_names)


def _classes(draft: drafts.Draft, index: int, given: str, names: tuple[str, ...]) -> None:
    """A button and a key for every class; where there are too many for that, a list."""
    if (keys := class_keys(names)) is None:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            right = st.selectbox("Right label", names, index=None, key=f"tell-name-{index}", width=260)
            st.button(
                "That is it", key=f"tell-one-{index}", disabled=right is None, on_click=drafts.label,
                args=(draft, index, right or given, given),
            )  # fmt: skip
        return
    same = keys == [name.lower() for name in names]  # then the name says the key
    with st.container(horizontal=True, gap="small", key="tell-names" if same else "tell-classes"):
        for name, key in zip(names, keys, strict=True):
            st.button(
                escape_markdown(name), key=f"tell-{key}-{index}", shortcut=key, on_click=drafts.label,
                args=(draft, index, name, given), help="Its given label is right: it is trusted" if name == given else None,
            )  # fmt: skip


def _count(content: ForgetSet) -> None:
    typed, checked = sum(index in content.labels for index in content.indices), len(content.checked)
    st.caption(
        f"{typed:,} of {len(content.indices):,} with a right label, {checked:,} checked and trusted. An example whose label "
        "differs from the given one is in your set, one whose given label is right is trusted. **Use it** gives both to those "
        "methods on Compare that know right labels, or trusted examples."
    )


def _checked(scenario: Scenario, draft: drafts.Draft) -> None:
    checked = draft.content.checked
    if not checked:
        return
    data = scenario_data(scenario).corrupted.train
    first, end = suspects.page_of(len(checked), "checked-page")
    shown = list(checked[first:end])
    rows = pd.DataFrame({"index": shown, "given": np.array(data.class_names)[data.labels[shown].numpy()]})
    key = f"checked:{draft.found.key if draft.found else ''}:{first}"
    words = "Checked and trusted; mark rows to take them back."
    marked = suspects.listing(scenario, rows, ("index", "given"), key, words, "checked")
    with st.container(horizontal=True):
        st.button(
            f"Take back {len(marked) or ''}", key="uncheck", icon=":material/remove:", disabled=not marked,
            on_click=drafts.remove, args=(draft, marked),
        )  # fmt: skip
        st.download_button(
            "Export as CSV", data=lambda: write_csv(ForgetSet(checked), suspects.names_of(scenario)).encode(),
            file_name="eunoe-trusted.csv", mime="text/csv", key="checked-export", on_click="ignore", icon=":material/download:",
            help="For --trusted in a terminal, or trusted= in Python",
        )  # fmt: skip
