"""Data health on Your own: what was found, group by group, each to be looked at and taken to a forget set."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import streamlit as st

from pages.cache import health as stored_health
from pages.session import binding, selection
from pages.session.services import store
from pages.widgets import examples, jobs, more_like, set_editor, show
from unlearn_core import view_state as vs
from unlearn_core.discovery.health.copies import SETS
from unlearn_core.results.reader import scenario_data
from unlearn_core.support.escaping import escape_markdown
from unlearn_core.views.embedding.examples import pictures
from unlearn_core.views.health.data import LEVELS, members_table, summary
from unlearn_core.views.health.stage import plan_health, plan_remote

if TYPE_CHECKING:
    from unlearn_core.discovery.health.findings import Finding, Health
    from unlearn_core.specs import Scenario

PER_PAGE = 24
_STYLE = """<style>
.eunoe-health {display: grid; grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); gap: 8px;}
.eunoe-health div {font-size: .76rem; line-height: 1.3; border: 1px solid rgba(138,143,152,.35); border-radius: 6px;
 padding: 4px; overflow: hidden;}
.eunoe-health :is(b, span) {display: block; white-space: nowrap; overflow: hidden; text-overflow: ellipsis;}
.eunoe-health img {width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; display: block;}
</style>"""


def section(state: vs.State, scenario: Scenario) -> None:
    """Everything about the health of these data; computed by a worker, once for the same data."""
    if binding.hidden(state, "own_health"):
        return
    st.markdown("**5 · Data health**", help="What is worth knowing of the data, whatever their labels say")
    stages = [plan_health(scenario.dataset, scenario.seed)]
    trained = bool(store().has([scenario.original_key]))
    if trained:
        stages.append(plan_remote(scenario))
    missing = [stage for stage in stages if not store().has([stage.key])]
    if missing and not jobs.at_once(missing, "Data health"):
        return
    try:
        health = stored_health.health([stage.key for stage in stages])
    except LookupError:  # what was stored has just been found damaged, and dropped
        st.info("What was found is not in the store any more; reload the page to look again.", icon=":material/info:")
        return
    if health.findings:
        st.markdown(escape_markdown(health.sentence))
        _group(state, scenario, _choose(state, health))
    else:
        st.success(health.sentence, icon=":material/check:")
        more_like.section(state, scenario, _samples(scenario), "samples")
    _limits(health, trained)


def _choose(state: vs.State, health: Health) -> Finding:
    """Which group is looked at; the two levels stand apart in the list."""
    words = {one.name: f"{LEVELS[one.level]} · {one.title} · {len(one):,}" for one in health.findings}
    name = state["finding"] if state["finding"] in words else next(iter(words))
    bound = binding.widget_args(state, "finding", show=lambda _: name)
    st.selectbox(options=list(words), format_func=lambda one: words[one], **bound)
    return health.of(name)


def _group(state: vs.State, scenario: Scenario, finding: Finding) -> None:
    """One group: what it is, by which threshold, its pictures, and where it can be taken."""
    data = scenario_data(scenario).corrupted.train
    members = [int(index) for index in finding.members]
    names = data.class_names
    given = {index: names[int(data.labels[index])] for index in members}
    st.markdown(escape_markdown(finding.sentence))
    first, end = _page(len(members), finding.name)
    values = finding.values[first:end].tolist()
    cards = [
        _card(index, given[index], finding, value, pixels)
        for index, value, pixels in zip(members[first:end], values, pictures(scenario, members[first:end]), strict=True)
    ]
    st.html(f'{_STYLE}<div class="eunoe-health">{"".join(cards)}</div>')
    table = members_table(finding, given, _names(scenario))
    show.caption(f"Threshold: {finding.rule}.", table, f"health-{finding.name}")
    _take(scenario, finding.name, members)
    set_editor.for_selection(state, scenario, tuple(sorted(members)))
    more_like.section(state, scenario, members[first:end], "health")


def _take(scenario: Scenario, name: str, members: list[int]) -> None:
    """The group as the selection of all pages, or one by one in the inspector."""
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Select on all pages", key=f"health-select:{name}", icon=":material/select_all:", on_click=_select,
            args=(scenario.corruption_key, members), help="What is selected stays selected on the page Embedding",
        )  # fmt: skip
        if st.button(
            "Open in the inspector", key=f"health-inspect:{name}", icon=":material/frame_inspect:",
            help="The page Embedding: each of them closely, once there is a model",
        ):  # fmt: skip
            _select(scenario.corruption_key, members)
            selection.inspect(members[0])
            binding.change(details="inspector")
            binding.finish(st.session_state["state"])
            st.switch_page("pages/embedding.py")


def _samples(scenario: Scenario) -> list[int]:
    from unlearn_core.datasets import load_dataset
    from unlearn_core.views.own_data.data import samples

    return [index for index, _, _ in samples(load_dataset(scenario.dataset, scenario.seed), scenario.seed)]


def _names(scenario: Scenario) -> tuple[str, ...]:
    from unlearn_core.datasets import load_dataset

    return load_dataset(scenario.dataset, scenario.seed).names


def _select(of: str, members: list[int]) -> None:
    selection.begin(of)
    selection.choose(members)


def _page(count: int, name: str) -> tuple[int, int]:
    last = max(1, -(-count // PER_PAGE))
    if last == 1:
        return 0, count
    number = int(st.number_input(f"Page of {last}", min_value=1, max_value=last, step=1, key=f"health-page:{name}", width=150))
    return (number - 1) * PER_PAGE, min(number * PER_PAGE, count)


def _card(index: int, given: str, finding: Finding, value: float, pixels: object) -> str:
    label = html.escape(given)
    said = f"set {value:.0f}" if finding.measure == SETS else f"{value:.3g}"
    words = f"training image {index}, labelled {label}, {html.escape(finding.measure)}: {value:.3g}"
    return f'<div title="{words}">{examples.image(pixels, words)}<b>{label}</b><span>{index} · {said}</span></div>'  # type: ignore[arg-type]


def _limits(health: Health, trained: bool) -> None:
    """What was looked for and what was not, folded."""
    with st.expander("What was looked for, and what was not", icon=":material/fact_check:"):
        st.markdown(f"Looked for: {escape_markdown(', '.join(health.examined))}.")
        for sentence in health.left_out:
            st.markdown(f"- {escape_markdown(sentence)}")
        if not trained:
            st.markdown("- Outliers are not looked for yet: they need the original network, which the first run trains.")
        if health.findings:
            show.text_table(summary(health))
